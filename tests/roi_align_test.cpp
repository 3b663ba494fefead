#include <pliant/autograd/ops/roi_align.h>

#include <pliant/tests/cases/roi_align.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("roi_align, ps_roi_align: gradients, threads") { check(roi_align_cases()); }

TEST_CASE("ps_roi_align: one group of channels is all of them") {
  const Tensor x = random({2, 7, 8, 3}, 1);
  const Tensor& rois = some_regions();
  CHECK(max_difference(ps_roi_align(x, rois, {.output_size = 1, .spatial_scale = 0.5}).value(),
                       roi_align(x, rois, {.output_size = 1, .spatial_scale = 0.5}).value()) == 0);
}
