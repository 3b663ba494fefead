// Figures of a segmentation by hand, crops and colours of classes.
#include <cmath>

#include <doctest/doctest.h>

#include <pliant/data/crop.h>
#include <pliant/layers/train/confusion_matrix.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using namespace pliant::test;
using Numbers = std::vector<double>;

Tensor labels(const std::vector<std::int64_t>& all) {
  return Tensor::from(all, {static_cast<std::int64_t>(all.size())});
}

}  // namespace

TEST_CASE("ConfusionMatrix: a segmentation's figures by hand, over two images, without the void") {
  ConfusionMatrix counts(3, {.ignore_label = 255});
  CHECK(std::isnan(counts.frequency_weighted_iou()));
  counts.add_guesses(labels({0, 0, 1, 2}), labels({0, 1, 1, 255}));
  counts.add_guesses(labels({1, 0}), labels({0, 0}));
  CHECK(counts.counts().to_vector() == Numbers{2, 1, 0, 1, 1, 0, 0, 0, 0});
  CHECK(counts.mean_iou() == doctest::Approx(5.0 / 12));
  CHECK(counts.mean_recall() == doctest::Approx((2.0 / 3 + 0.5) / 2));
  CHECK(counts.frequency_weighted_iou() == doctest::Approx(0.6 * 0.5 + 0.4 / 3));
}

TEST_CASE("log_balanced_weights: a rare class weighs most") {
  const Numbers weights = log_balanced_weights({3, 1, 0});
  CHECK(weights[0] == doctest::Approx(1 / std::log(1.77)));
  CHECK(weights[2] == doctest::Approx(1 / std::log(1.02)));
  CHECK(contains(error_of([] { log_balanced_weights({0, 0}); }), "no class has a pixel"));
  CHECK(contains(error_of([] { log_balanced_weights({-1, 2}); }), "-1 pixels"));
}

TEST_CASE("crop_square: what lies outside has the border's colour") {
  const Tensor image = Tensor::arange(12).to(DType::uint8).reshape({2, 3, 2});
  CHECK(channel_means(image) == Numbers{5, 6});
  const SquareCrop inside = crop_square(image, 0.5, 0.5, 2, {0, 0});
  CHECK(inside.left == -1);  // floor(0.5 - 1.5 + 0.5)
  const SquareCrop crop = crop_square(image, 2, 1, 3, {200.9, 7});
  CHECK(crop.left == 0);
  CHECK(crop.top == -1);
  CHECK(crop.image.to_vector() ==
        Numbers{200, 7, 200, 7, 200, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const SquareCrop far = crop_square(image, -1000, 1000, 1, {1, 2});
  CHECK(far.image.to_vector() == Numbers{1, 2});
  CHECK(contains(error_of([&] { crop_square(image, NAN, 0, 2, {0, 0}); }), "finite numbers"));
  CHECK(contains(error_of([&] { crop_square(image, 0, 0, 2, {0}); }), "each of 2 channels"));
  CHECK(contains(error_of([&] { crop_square(image, 0, 0, 2, {0, 300}); }), "0 to 255"));
  CHECK(contains(error_of([] { channel_means(Tensor::zeros({2, 2, 3})); }), "uint8 [H W C]"));
}

TEST_CASE("centre_crop: the short side, and a half to the even pixel") {
  const CentreCrop wide = centre_crop(500, 375, 513);
  CHECK(wide.width == 684);
  CHECK(wide.height == 513);
  CHECK(wide.left == 86);  // 85.5
  CHECK(wide.top == 0);
  CHECK(centre_crop(333, 500, 513).top == 128);  // 128.5
  CHECK(contains(error_of([] { centre_crop(0, 5, 5); }), "centre_crop"));
}
