// Cases of regions sampled from the map of their size.
#pragma once

#include <pliant/autograd/ops/multiscale_roi_align.h>
#include <pliant/tests/regions.h>

namespace pliant::test {

inline OpCases multiscale_roi_align_cases() {
  const Tensor rois = regions({1, 0, 0, 200, 220, 0, 3, 4, 20, 21, 1, 30, 30, 180, 200});
  const MultiScaleRoIAlignOptions options{.output_size = 2,
                                          .spatial_scales = {1.0 / 4, 1.0 / 8},
                                          .canonical_size = 112,
                                          .canonical_level = 3};
  return {{"multiscale_roi_align",
           [=](const Vars& v) { return multiscale_roi_align(v, beside(v[0], rois), options); },
           {random({2, 16, 16, 3}, 1), random({2, 8, 8, 3}, 2)}}};
}

}  // namespace pliant::test
