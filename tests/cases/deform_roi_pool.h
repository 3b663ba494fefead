// Cases of regions whose bins are moved.
#pragma once

#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/tests/regions.h>

namespace pliant::test {

// With trans and mask, with one of them and with neither.
inline OpCases deform_roi_pool_cases(const std::string& name, const Shape& map, const Tensor& rois,
                                     std::int64_t classes, double reach,
                                     const DeformRoIPoolOptions& options) {
  const std::int64_t p = options.pooled_size, part = options.part_size > 0 ? options.part_size : p;
  const Tensor x = random(map, 1),
               trans = random({rois.dim(0), part, part, 2 * classes}, 2, -reach, reach),
               mask = random({rois.dim(0), p, p, 1}, 3);
  return {
      {name,
       [=](const Vars& v) {
         return deform_roi_pool(v[0], beside(v[0], rois), v[1], v[2], options);
       },
       {x, trans, mask},
       2e-4},
      {name + ", without mask",
       [=](const Vars& v) { return deform_roi_pool(v[0], beside(v[0], rois), v[1], {}, options); },
       {x, trans},
       2e-4},
      {name + ", without trans",
       [=](const Vars& v) { return deform_roi_pool(v[0], beside(v[0], rois), {}, v[1], options); },
       {x, mask},
       2e-4},
      {name + ", of the map alone",
       [=](const Vars& v) { return deform_roi_pool(v[0], beside(v[0], rois), {}, {}, options); },
       {x},
       2e-4}};
}

inline OpCases deform_roi_pool_cases() {
  OpCases all, large;
  // With numbers that every dtype has: a sample that crosses a pixel's edge has another slope, and a
  // side another number of samples.
  const Tensor some = some_regions().to(DType::bfloat16).to(DType::float64),
               odd = odd_regions().to(DType::bfloat16).to(DType::float64);
  const auto add = [&](const char* name, std::int64_t channels, std::int64_t classes,
                       DeformRoIPoolOptions options) {
    options.spatial_scale = 0.5;
    all = joined(
        {all, deform_roi_pool_cases(name, {2, 7, 8, channels}, some, classes, 1.5, options)});
  };
  add("plain", 3, 1, {.pooled_size = 2});
  add("classes", 6, 3, {.pooled_size = 2, .sample_per_part = 3});
  add("position-sensitive", 16, 2, {.group_size = 2, .pooled_size = 4});
  add("few parts", 2, 1, {.pooled_size = 3, .part_size = 2});
  add("more parts than bins", 2, 1, {.pooled_size = 2, .part_size = 3});
  add("one bin, one sample", 1, 1, {.pooled_size = 1, .sample_per_part = 1});
  add("RoIAlign's rule", 3, 1, {.pooled_size = 2, .rule = DeformRoIRule::roi_align});
  add("RoIAlign's rule, samples by the side", 4, 2,
      {.pooled_size = 2, .sample_per_part = 0, .trans_std = 0.2, .rule = DeformRoIRule::roi_align});

  const auto add_large = [&](std::int64_t group_size, std::int64_t part, std::int64_t classes,
                             DeformRoIRule rule = DeformRoIRule::original) {
    large = joined(
        {large, deform_roi_pool_cases("deform_roi_pool", {2, 8, 9, 6 * group_size * group_size},
                                      odd, classes, 1,
                                      {.spatial_scale = 0.5,
                                       .group_size = group_size,
                                       .pooled_size = 4,
                                       .part_size = part,
                                       .sample_per_part = 3,
                                       .trans_std = 0.2,
                                       .rule = rule})});
  };
  add_large(1, 0, 1);
  add_large(1, 3, 2);
  add_large(2, 2, 3);
  add_large(4, 8, 1);
  add_large(1, 0, 1, DeformRoIRule::roi_align);
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
