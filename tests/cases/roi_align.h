// Cases of regions sampled between pixels.
#pragma once

#include <pliant/autograd/ops/roi_align.h>
#include <pliant/tests/regions.h>

namespace pliant::test {

inline OpCase roi_align_case(const Shape& map, const Tensor& rois, const RoIAlignOptions& options) {
  return region_case("roi_align", map, rois,
                     [=](const Var& x, const Tensor& r) { return roi_align(x, r, options); });
}

inline OpCase ps_roi_align_case(const Shape& map, const Tensor& rois,
                                const PSRoIAlignOptions& options) {
  return region_case("ps_roi_align", map, rois,
                     [=](const Var& x, const Tensor& r) { return ps_roi_align(x, r, options); });
}

inline OpCases roi_align_cases() {
  const Shape small{2, 7, 8, 4};
  OpCases all = {
      roi_align_case(small, some_regions(), {.output_size = 2, .spatial_scale = 0.5}),
      roi_align_case(
          small, some_regions(),
          {.output_size = {2, 3}, .spatial_scale = 0.5, .sampling_ratio = 2, .aligned = false}),
      ps_roi_align_case(small, some_regions(),
                        {.output_size = {1, 2}, .spatial_scale = 0.5, .sampling_ratio = 3})};
  OpCases large;
  for (const Tensor& rois : {odd_regions(), Tensor::zeros({0, 5}, DType::float64)}) {
    for (const std::int64_t c : {8, 5})
      for (const bool aligned : {true, false})
        for (const std::int64_t ratio : {0, 1, 3})
          large.push_back(roi_align_case({2, 8, 9, c}, rois, {{3, 2}, 0.5, ratio, aligned}));
    for (const std::int64_t ratio : {0, 2})
      large.push_back(ps_roi_align_case({2, 8, 9, 18}, rois, {{3, 2}, 0.5, ratio}));
  }
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
