#include <pliant/autograd/ops/multiscale_roi_align.h>

#include <limits>

#include <pliant/autograd/ops/roi_align.h>
#include <pliant/tests/cases/multiscale_roi_align.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("roi_levels: a side twice as long is a level further, within the pyramid") {
  const auto roi = [](double side) { return std::vector<double>{0, 0, 0, side, side}; };
  Numbers all;
  for (const double side : {0.0, 56.0, 111.0, 112.0, 224.0, 448.0, 9000.0})
    for (const double number : roi(side)) all.push_back(number);
  all.insert(all.end(), {0, 5, 5, 1, 9});  // ends before it begins: NaN
  const Tensor rois = Tensor::from(all, {8, 5});
  CHECK(roi_levels(rois, {}).to_vector() == Numbers{0, 0, 0, 1, 2, 3, 3, 0});
}

TEST_CASE(
    "multiscale_roi_align: each region as by roi_align from its own map; gradients, threads") {
  const Tensor fine = random({2, 16, 16, 3}, 1), coarse = random({2, 8, 8, 3}, 2);
  const Tensor rois = Tensor::from(
      {1.0, 0.0, 0.0, 200.0, 220.0, 0.0, 3.0, 4.0, 20.0, 21.0, 1.0, 30.0, 30.0, 180.0, 200.0},
      {3, 5});
  const MultiScaleRoIAlignOptions options{.output_size = 2,
                                          .spatial_scales = {1.0 / 4, 1.0 / 8},
                                          .canonical_size = 112,
                                          .canonical_level = 3};
  CHECK(roi_levels(rois, {2, 3, 112, 3}).to_vector() == Numbers{1, 0, 1});
  const Var all = multiscale_roi_align({fine, coarse}, rois, options);
  const auto one = [&](const Tensor& map, double scale, std::int64_t r) {
    return roi_align(
               map, rois.slice(r, r + 1).clone(),
               {.output_size = 2, .spatial_scale = scale, .sampling_ratio = 2, .aligned = false})
        .value();
  };
  CHECK(max_difference(all.value().slice(0, 1), one(coarse, 0.125, 0)) == 0);
  CHECK(max_difference(all.value().slice(1, 2), one(fine, 0.25, 1)) == 0);
  CHECK(max_difference(all.value().slice(2, 3), one(coarse, 0.125, 2)) == 0);
  check(multiscale_roi_align_cases());
  CHECK(multiscale_roi_align({fine, coarse}, Tensor::zeros({0, 5}, DType::float64), options)
            .shape() == Shape{0, 2, 2, 3});
  CHECK(contains(error_of([&] { multiscale_roi_align({fine}, rois, options); }), "1 maps and 2"));
  CHECK(contains(error_of([&] {
                   multiscale_roi_align({fine, coarse}, rois, {.spatial_scales = {0.25, 0.2}});
                 }),
                 "expected its half"));
  CHECK(contains(error_of([&] { multiscale_roi_align({fine}, rois, {.spatial_scales = {0.3}}); }),
                 "a power of 2"));
}
