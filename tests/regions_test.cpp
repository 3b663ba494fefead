// What the ops on regions of interest have in common: edges and errors.
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/tests/regions.h>

using namespace pliant;
using namespace pliant::test;

namespace {

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

// Every op on regions without other inputs, on 2 x 2 bins of four channels.
using RegionOp = std::function<Var(const Var&, const Tensor&)>;
const std::vector<std::pair<const char*, RegionOp>>& ops() {
  static const std::vector<std::pair<const char*, RegionOp>> all = {
      {"roi_align",
       [](const Var& x, const Tensor& rois) {
         return roi_align(x, rois, {.output_size = 2, .spatial_scale = 0.5});
       }},
      {"roi_align, first rule",
       [](const Var& x, const Tensor& rois) {
         return roi_align(
             x, rois,
             {.output_size = {2, 3}, .spatial_scale = 0.5, .sampling_ratio = 2, .aligned = false});
       }},
      {"ps_roi_align",
       [](const Var& x, const Tensor& rois) {
         return ps_roi_align(x, rois,
                             {.output_size = {1, 2}, .spatial_scale = 0.5, .sampling_ratio = 3});
       }},
      {"roi_pool",
       [](const Var& x, const Tensor& rois) {
         return roi_pool(x, rois, {.output_size = {3, 2}, .spatial_scale = 0.5});
       }},
      {"ps_roi_pool",
       [](const Var& x, const Tensor& rois) {
         return ps_roi_pool(x, rois, {.output_size = 2, .spatial_scale = 0.5});
       }},
      {"deform_roi_pool",
       [](const Var& x, const Tensor& rois) {
         return deform_roi_pool(x, rois, {}, {}, {.spatial_scale = 0.5, .pooled_size = 2});
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("regions: no regions, no images, regions beyond the map and without area") {
  for (const auto& entry : ops()) {
    const RegionOp& op = entry.second;
    CAPTURE(entry.first);
    const Tensor none = Tensor::zeros({0, 5}, DType::float64);
    for (const std::int64_t images : {0, 2}) {
      const Tape tape;
      const Var x = tape.variable(random({images, 5, 6, 4}, 1));
      const Var y = op(x, none);
      CHECK(y.dim(0) == 0);
      const Tensor gradient = tape.gradients(y, {}, {.cotangent = y.value()})[x];
      CHECK(gradient.shape() == x.shape());
      CHECK(largest(gradient) == 0);
    }
    // Beyond each edge and far away: nothing to read, but for the first rule of RoIAlign none.
    const Tensor beyond =
        regions({0, -90,    3, -50,    9, 0, 3, 70, 9, 99, 0, 1e18, 1e18, 2e18, 2e18,  //
                 0, -1e300, 2, -1e299, 5});
    const Tape tape;
    const Var x = tape.variable(random({1, 5, 6, 4}, 1, 1, 2));
    const Var y = op(x, beyond);
    CHECK(largest(y.value()) == 0);
    CHECK(largest(tape.gradients(y, {}, {.cotangent = y.value()})[x]) == 0);
    // Without area, turned round, and vastly larger than the map: finite, within the values.
    const Var odd = op(x.value(), regions({0, 4,      4,      4,     4,    0,   9,   9,
                                           2, 2,      0,      -1e9,  -1e9, 1e9, 1e9,  //
                                           0, -1e308, -1e308, 1e308, 1e308}));
    for (const double value : odd.value().to_vector()) CHECK((value >= 0 && value <= 2));
  }
  const auto point = regions({0, 4, 4, 4, 4});
  const Tensor x = random({1, 9, 9, 4}, 1);
  // A region without area is a point under the corrected rule and one pixel wide under the others.
  CHECK(largest(roi_align(x, point, {.output_size = 2, .sampling_ratio = 2}).value()) > 0.1);
  CHECK(largest(roi_align(x, point, {.output_size = 2}).value()) == 0);  // no sample
  CHECK(max_difference(roi_pool(x, point, {.output_size = 1}).value().reshape({4}),
                       x.reshape({81, 4}).slice(40, 41).reshape({4})) == 0);
  CHECK(max_difference(ps_roi_pool(x, point, {.output_size = 1}).value().reshape({4}),
                       x.reshape({81, 4}).slice(40, 41).reshape({4})) == 0);
}

TEST_CASE("regions: bad arguments") {
  const Tensor x = random({2, 7, 8, 4}, 1);
  const auto message = [&](const std::vector<double>& roi) {
    std::string first;
    for (const auto& op : ops()) {
      const std::string error = error_of([&] { op.second(x, regions(roi)); });
      CHECK(contains(error, "region 1"));
      if (first.empty()) first = error;
    }
    return first;
  };
  const double nan = std::nan(""), infinity = HUGE_VAL;
  CHECK(message({0, 1, 1, 2, 2, 2, 1, 1, 2, 2}) ==
        "roi_align: region 1 has image index 2, expected a whole number from 0 to 1");
  for (const double image : {-1.0, 0.5, nan, infinity, 1e300})
    CHECK(contains(message({0, 1, 1, 2, 2, image, 1, 1, 2, 2}), "has image index"));
  CHECK(message({0, 1, 1, 2, 2, 0, 1, nan, 2, 2}) ==
        "roi_align: region 1 has the corners (1, nan) and (2, 2), expected finite numbers");
  CHECK(contains(message({0, 1, 1, 2, 2, 0, 1, 1, infinity, 2}), "(inf, 2)"));

  const Tensor& rois = some_regions();
  const auto error = [&](const std::function<void()>& f) { return error_of(f); };
  CHECK(contains(error([&] { roi_pool(x, random({4, 4}, 1)); }), "expected [R 5]"));
  CHECK(contains(error([&] { roi_pool(x, rois.to(DType::float32)); }), "is float64 but "));
  CHECK(contains(error([&] { roi_pool(x, rois, {.output_size = {0, 2}}); }), "0 x 2 bins"));
  CHECK(contains(error([&] { roi_pool(random({1, 0, 3, 2}, 1), rois); }), "has no pixels"));
  CHECK(
      contains(error([&] { roi_pool(x, rois, {.spatial_scale = nan}); }), "spatial scale is nan"));
  CHECK(contains(error([&] { roi_align(x, rois, {.sampling_ratio = -1}); }), "ratio is -1"));
  CHECK(contains(error([&] { ps_roi_pool(x, rois, {.output_size = 3}); }),
                 "4 channels do not divide into 3 x 3 groups"));

  const auto deform = [&](const Var& trans, const Var& mask, const DeformRoIPoolOptions& options) {
    return error([&] { deform_roi_pool(x, rois, trans, mask, options); });
  };
  CHECK(contains(deform({}, {}, {.output_dim = 3}), "output_dim is 3, but 4 channels"));
  CHECK(contains(deform({}, {}, {.sample_per_part = 0}), "sample_per_part 0"));
  CHECK(contains(deform({}, {}, {.trans_std = infinity}), "trans_std is inf"));
  CHECK(contains(deform(random({4, 7, 7, 3}, 1), {}, {}), "expected [4 7 7 2*classes]"));
  CHECK(contains(deform(random({4, 2, 2, 2}, 1), {}, {}), "trans has shape [4 2 2 2]"));
  CHECK(contains(deform(random({4, 7, 7, 6}, 1), {}, {}), "do not divide into 3 classes"));
  CHECK(contains(deform({}, random({4, 7, 7, 2}, 1), {}), "the mask has shape [4 7 7 2]"));
}
