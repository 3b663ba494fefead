// Cases of the largest, and the mean, of a region's bins.
#pragma once

#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/regions.h>

namespace pliant::test {

inline OpCase roi_pool_case(const Shape& map, const Tensor& rois, const RoIPoolOptions& options) {
  return region_case("roi_pool", map, rois,
                     [=](const Var& x, const Tensor& r) { return roi_pool(x, r, options); });
}

inline OpCase ps_roi_pool_case(const Shape& map, const Tensor& rois,
                               const RoIPoolOptions& options) {
  return region_case("ps_roi_pool", map, rois,
                     [=](const Var& x, const Tensor& r) { return ps_roi_pool(x, r, options); });
}

inline OpCases roi_pool_cases() {
  const Shape small{2, 7, 8, 4};
  OpCases all = {
      roi_pool_case(small, some_regions(), {.output_size = {3, 2}, .spatial_scale = 0.5}),
      ps_roi_pool_case(small, some_regions(), {.output_size = 2, .spatial_scale = 0.5})};
  OpCases large;
  for (const Tensor& rois : {odd_regions(), Tensor::zeros({0, 5}, DType::float64)}) {
    large.push_back(roi_pool_case({2, 8, 9, 5}, rois, {{3, 2}, 0.5}));
    large.push_back(ps_roi_pool_case({2, 8, 9, 18}, rois, {{2, 3}, 0.5}));
    large.push_back(ps_roi_pool_case({2, 8, 9, 8}, rois, {1, 0.5}));  // in one bin
  }
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
