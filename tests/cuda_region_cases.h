// Cases on which the CUDA half is held against the CPU's: the operators on regions of interest.
#pragma once

#include <vector>

#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/cuda_family_cases.h>

namespace pliant::test {

// Regions of two images under a scale of 1/2: inside, across borders, outside, larger than the map,
// of no extent, and with their corners the wrong way round.
inline Tensor some_regions() {
  return Tensor::from(std::vector<double>{0, 1.3,   2.2,   9.7,  13.4,  // inside
                                          1, 0.1,   0.3,   16.9, 14.8,  // nearly all of the map
                                          1, -7.3,  -4.1,  6.2,  5.9,  // over the upper left corner
                                          0, 11.7,  9.2,   31.3, 29.1,  // over the lower right one
                                          0, 40.3,  50.2,  61.7, 60.4,  // outside
                                          1, -61.3, -52.7, 83.1, 94.9,  // larger than the map
                                          0, 5.3,   6.1,   5.3,  6.1,   // a point
                                          1, 9.7,   8.4,   4.2,  3.3,   // the wrong way round
                                          0, 2.6,   3.7,   10.8, 7.9},
                      {9, 5});
}

inline DeviceCases pooled_region_cases() {
  DeviceCases all;
  const auto add = [&](const char* name, std::int64_t channels, const Tensor& rois, auto f) {
    all.push_back({name,
                   [=](const Vars& v) { return f(v[0], beside(v[0], rois)); },
                   {random({2, 8, 9, channels}, 1)}});
  };
  for (const Tensor& rois : {some_regions(), Tensor::zeros({0, 5}, DType::float64)}) {
    for (const std::int64_t c : {8, 5})
      for (const bool aligned : {true, false})
        for (const std::int64_t ratio : {0, 1, 3}) {
          const RoIAlignOptions options{{3, 2}, 0.5, ratio, aligned};
          add("roi_align", c, rois,
              [=](const Var& x, const Tensor& r) { return roi_align(x, r, options); });
        }
    for (const std::int64_t ratio : {0, 2})
      add("ps_roi_align", 18, rois, [=](const Var& x, const Tensor& r) {
        return ps_roi_align(x, r, {{3, 2}, 0.5, ratio});
      });
    add("roi_pool", 5, rois, [](const Var& x, const Tensor& r) {
      return roi_pool(x, r, {{3, 2}, 0.5});
    });
    add("ps_roi_pool", 18, rois, [](const Var& x, const Tensor& r) {
      return ps_roi_pool(x, r, {{2, 3}, 0.5});
    });
    add("ps_roi_pool in one bin", 8, rois, [](const Var& x, const Tensor& r) {
      return ps_roi_pool(x, r, {1, 0.5});
    });
  }
  return all;
}

inline DeviceCases deform_roi_pool_cases() {
  DeviceCases all;
  // With numbers that every dtype has: a sample that crosses a pixel's edge has another slope.
  const Tensor rois = some_regions().to(DType::bfloat16).to(DType::float64);
  const auto add = [&](std::int64_t group_size, std::int64_t part, std::int64_t classes,
                       DeformRoIRule rule = DeformRoIRule::original) {
    const DeformRoIPoolOptions options{.spatial_scale = 0.5,
                                       .group_size = group_size,
                                       .pooled_size = 4,
                                       .part_size = part,
                                       .sample_per_part = 3,
                                       .trans_std = 0.2,
                                       .rule = rule};
    const std::int64_t cells = part > 0 ? part : 4;
    const std::vector<Tensor> inputs = {random({2, 8, 9, 6 * group_size * group_size}, 1),
                                        random({9, cells, cells, 2 * classes}, 2),
                                        random({9, 4, 4, 1}, 3)};
    all.push_back({"deform_roi_pool",
                   [=](const Vars& v) {
                     return deform_roi_pool(v[0], beside(v[0], rois), v[1], v[2], options);
                   },
                   inputs});
    all.push_back({"deform_roi_pool without mask",
                   [=](const Vars& v) {
                     return deform_roi_pool(v[0], beside(v[0], rois), v[1], {}, options);
                   },
                   {inputs[0], inputs[1]}});
    all.push_back(
        {"deform_roi_pool without trans",
         [=](const Vars& v) { return deform_roi_pool(v[0], beside(v[0], rois), {}, {}, options); },
         {inputs[0]}});
  };
  add(1, 0, 1);
  add(1, 3, 2);
  add(2, 2, 3);
  add(4, 8, 1);
  add(1, 0, 1, DeformRoIRule::roi_align);
  return all;
}

inline DeviceCases region_cases() {
  DeviceCases all = pooled_region_cases();
  for (const DeviceCase& one : deform_roi_pool_cases()) all.push_back(one);
  return all;
}

}  // namespace pliant::test
