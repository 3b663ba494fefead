#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/images.h>
#include <pliant/data/loader.h>
#include <pliant/data/transforms.h>

using namespace pliant;

namespace {

std::vector<std::uint8_t> ramp(std::int64_t count) {
  std::vector<std::uint8_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  return values;
}

// An image [4 4 1] of the numbers 0..15 through one draw, times 255.
std::vector<double> small(const ScaleDraw& draw, Interpolation interpolation) {
  const auto image = ramp(16);
  std::vector<float> out(16);
  scale_image(image.data(), 4, 4, 1, draw, interpolation, out.data());
  std::vector<double> values;
  values.reserve(out.size());
  for (const float value : out) values.push_back(std::round(value * 255.0 * 1e3) / 1e3);
  return values;
}

LabelledImages numbered(std::int64_t count) {
  LabelledImages set{Tensor::empty({count, 1, 2, 1}, DType::uint8),
                     Tensor::empty({count}, DType::int64)};
  for (std::int64_t i = 0; i < count; ++i) {
    set.images.mutable_data<std::uint8_t>()[2 * i] = static_cast<std::uint8_t>(i);
    set.images.mutable_data<std::uint8_t>()[2 * i + 1] = 7;
    set.labels.mutable_data<std::int64_t>()[i] = i;
  }
  return set;
}

}  // namespace

TEST_CASE("to_float divides by 255 and keeps the shape") {
  const Tensor floats = to_float(Tensor::from<std::uint8_t>({0, 51, 255, 1}, {2, 2}));
  CHECK(floats.shape() == Shape{2, 2});
  CHECK(floats.dtype() == DType::float32);
  CHECK(floats.data<float>()[0] == 0.0f);
  CHECK(floats.data<float>()[1] == 51.0f / 255.0f);
  CHECK(floats.data<float>()[2] == 1.0f);
  CHECK_THROWS_AS(to_float(floats), Error);
}

TEST_CASE("scaling: by hand on a 4x4 image, whose centre is 2.5") {
  // No zoom, no shift: the image itself.
  std::vector<double> same(16);
  std::iota(same.begin(), same.end(), 0.0);
  CHECK(small({}, Interpolation::nearest) == same);
  CHECK(small({}, Interpolation::bilinear) == same);
  // Zoom 2 on rows: sources -2.5 -0.5 1.5 3.5, clamped to 0 0 1.5 3, rounded up at the half.
  CHECK(small({.zoom_rows = 2}, Interpolation::nearest) ==
        std::vector<double>{0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15});
  CHECK(small({.zoom_rows = 2}, Interpolation::bilinear) ==
        std::vector<double>{0, 1, 2, 3, 0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15});
  // Columns shifted by 1.25: sources 1.25 2.25 3 3.
  CHECK(small({.shift_columns = 1.25}, Interpolation::nearest) ==
        std::vector<double>{1, 2, 3, 3, 5, 6, 7, 7, 9, 10, 11, 11, 13, 14, 15, 15});
  CHECK(small({.shift_columns = 1.25}, Interpolation::bilinear) ==
        std::vector<double>{1.25, 2.25, 3, 3, 5.25, 6.25, 7, 7, 9.25, 10.25, 11, 11, 13.25, 14.25,
                            15, 15});
  // Both axes: rows 1.5*(r-2.5)+2.5-1 = -2.25 -0.75 0.75 2.25, columns 2*(c-2.5)+3 = -2 0 2 4.
  CHECK(small({.shift_rows = -1, .shift_columns = 0.5, .zoom_rows = 1.5, .zoom_columns = 2},
              Interpolation::nearest) ==
        std::vector<double>{0, 0, 2, 3, 0, 0, 2, 3, 4, 4, 6, 7, 8, 8, 10, 11});
  CHECK(small({.shift_rows = -1, .shift_columns = 0.5, .zoom_rows = 1.5, .zoom_columns = 2},
              Interpolation::bilinear) ==
        std::vector<double>{0, 0, 2, 3, 0, 0, 2, 3, 3, 3, 5, 6, 9, 9, 11, 12});
}

TEST_CASE("scaling: the centre of 28 rows is 14.5") {
  std::vector<std::uint8_t> image(28);  // a column
  std::iota(image.begin(), image.end(), std::uint8_t{0});
  std::vector<float> out(28);
  scale_image(image.data(), 28, 1, 1, {.zoom_rows = 2.0}, Interpolation::nearest, out.data());
  // 2*(r-14.5)+14.5: -0.5 at r=7, 1.5 at r=8, 13.5 at r=14, 25.5 at r=20, 27.5 at r=21.
  CHECK(std::lround(out[7] * 255) == 0);
  CHECK(std::lround(out[8] * 255) == 2);
  CHECK(std::lround(out[14] * 255) == 14);
  CHECK(std::lround(out[20] * 255) == 26);
  CHECK(std::lround(out[21] * 255) == 27);
}

TEST_CASE("scaling: channels stay together") {
  const std::vector<std::uint8_t> image = {10, 20, 30, 40};  // [1 2 2]
  std::vector<float> out(4);
  scale_image(image.data(), 1, 2, 2, {.shift_columns = 0.5}, Interpolation::bilinear, out.data());
  CHECK(std::lround(out[0] * 255) == 20);
  CHECK(std::lround(out[1] * 255) == 30);
  CHECK(std::lround(out[2] * 255) == 30);
  CHECK(std::lround(out[3] * 255) == 40);
}

TEST_CASE("scaling: draws are uniform, independent, and in the published order") {
  const ScaleAugmentation published;
  const Rng rng(3);
  const ScaleDraw one = draw_scale(published, 28, 28, rng);
  CHECK(one.shift_rows == rng.uniform(0, -0.2, 0.2) * 28);
  CHECK(one.shift_columns == rng.uniform(1, -0.2, 0.2) * 28);
  CHECK(one.zoom_rows == rng.uniform(2, 1.0, 2.5));
  CHECK(one.zoom_columns == rng.uniform(3, 1.0, 2.5));
  CHECK(draw_scale(published, 10, 100, rng).shift_columns ==
        doctest::Approx(one.shift_columns * 100 / 28));

  constexpr int kDraws = 20000;
  double sums[4] = {}, squares[4] = {}, products = 0;
  for (int i = 0; i < kDraws; ++i) {
    const ScaleDraw draw = draw_scale(published, 28, 28, rng.fork(static_cast<std::uint64_t>(i)));
    const double values[4] = {draw.shift_rows / 5.6, draw.shift_columns / 5.6,
                              (draw.zoom_rows - 1.75) / 0.75, (draw.zoom_columns - 1.75) / 0.75};
    for (int k = 0; k < 4; ++k) {
      CHECK_FALSE(std::abs(values[k]) > 1);
      sums[k] += values[k];
      squares[k] += values[k] * values[k];
    }
    products += values[2] * values[3];
  }
  for (int k = 0; k < 4; ++k) {  // uniform in [-1, 1): mean 0, variance 1/3; 5 standard errors
    CHECK(std::abs(sums[k] / kDraws) < 5 * std::sqrt(1.0 / 3 / kDraws));
    CHECK(std::abs(squares[k] / kDraws - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / kDraws));
  }
  CHECK(std::abs(products / kDraws) < 5 * std::sqrt(1.0 / 9 / kDraws));
}

TEST_CASE("scaling: zoom (1, 1) draws no zoom, shift 0 does not shift") {
  const Rng rng(9);
  const ScaleDraw none = draw_scale({.zoom_low = 1, .zoom_high = 1, .shift = 0}, 28, 28, rng);
  CHECK(none.zoom_rows == 1);
  CHECK(none.zoom_columns == 1);
  CHECK(none.shift_rows == 0);
  CHECK(none.shift_columns == 0);
  CHECK(draw_scale({.zoom_low = 1, .zoom_high = 1}, 28, 28, rng).shift_rows != 0);
}

TEST_CASE("scaled: every image has its own draw, whatever the set and the threads") {
  std::vector<std::uint8_t> pixels = ramp(12800);
  const Tensor images = Tensor::from(pixels, {200, 8, 8, 1});
  const ScaleAugmentation bilinear{.interpolation = Interpolation::bilinear};
  const Rng rng(5);
  const int threads = thread_count();
  const std::vector<double> all = scale_images(images, bilinear, rng).to_vector();
  set_thread_count(1);
  CHECK(scale_images(images, bilinear, rng).to_vector() == all);
  set_thread_count(threads);
  CHECK(scale_images(images, bilinear, rng.fork("other")).to_vector() != all);

  constexpr std::ptrdiff_t kFirst = std::ptrdiff_t{123} * 64;
  std::vector<float> one(64);
  scale_image(pixels.data() + kFirst, 8, 8, 1, draw_scale(bilinear, 8, 8, rng.fork(123)),
              Interpolation::bilinear, one.data());
  CHECK(std::equal(one.begin(), one.end(), all.begin() + kFirst));
}

TEST_CASE("scaled: shrinks what is shown, by 1/z on average") {
  // A block of 12x12 in the middle of 28x28: its area shrinks by E[1/z]^2 = (ln 2.5 / 1.5)^2.
  Tensor images = Tensor::zeros({2000, 28, 28, 1}, DType::uint8);
  for (std::int64_t i = 0; i < 2000; ++i)
    for (std::int64_t r = 8; r < 20; ++r)
      for (std::int64_t c = 8; c < 20; ++c)
        images.mutable_data<std::uint8_t>()[(i * 28 + r) * 28 + c] = 255;
  const Tensor small = scale_images(images, {}, Rng(1));
  double ink = 0;
  for (const float value : small.span<float>()) ink += static_cast<double>(value);
  const double ratio = std::log(2.5) / 1.5;
  CHECK(ink / 2000 / 144 == doctest::Approx(ratio * ratio).epsilon(0.04));
}

TEST_CASE("scaled: impossible options are errors") {
  const Tensor images = Tensor::zeros({1, 4, 4, 1}, DType::uint8);
  CHECK_THROWS_AS(scale_images(images, {.zoom_low = 0}, Rng(1)), Error);
  CHECK_THROWS_AS(scale_images(images, {.zoom_low = 3}, Rng(1)), Error);
  CHECK_THROWS_AS(scale_images(images, {.zoom_high = INFINITY}, Rng(1)), Error);
  CHECK_THROWS_AS(scale_images(images, {.shift = -0.1}, Rng(1)), Error);
  CHECK_THROWS_AS(scale_images(images, {.shift = NAN}, Rng(1)), Error);
  CHECK_THROWS_AS(scale_images(to_float(images), {}, Rng(1)), Error);
}

TEST_CASE("randperm: a shuffle of all indices, each place equally likely") {
  std::vector<std::int64_t> order = randperm(1000, Rng(1));
  CHECK(order == randperm(1000, Rng(1)));
  CHECK(order != randperm(1000, Rng(2)));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
  CHECK(randperm(0, Rng(1)).empty());

  int counts[4][4] = {};
  for (std::uint64_t seed = 0; seed < 8000; ++seed) {
    const auto four = randperm(4, Rng(seed));
    for (std::size_t place = 0; place < 4; ++place) ++counts[place][four[place]];
  }
  for (const auto& row : counts)
    for (const int count : row) CHECK(std::abs(count - 2000) < 5 * std::sqrt(8000 * 3.0 / 16));
}

TEST_CASE("split: a random part is held out, nothing lost, order and labels kept") {
  const LabelledImages set = numbered(100);
  const ImageSets parts = set.split(30, Rng(4));
  CHECK(parts.train.size() == 70);
  CHECK(parts.test.images.shape() == Shape{30, 1, 2, 1});
  std::vector<double> all = parts.train.labels.to_vector();
  const std::vector<double> held = parts.test.labels.to_vector();
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(std::is_sorted(held.begin(), held.end()));
  CHECK(held != numbered(30).labels.to_vector());
  for (std::int64_t i = 0; i < 30; ++i) {
    CHECK(parts.test.images.data<std::uint8_t>()[2 * i] == held[static_cast<std::size_t>(i)]);
    CHECK(parts.test.images.data<std::uint8_t>()[2 * i + 1] == 7);
  }
  all.insert(all.end(), held.begin(), held.end());
  std::sort(all.begin(), all.end());
  CHECK(all == set.labels.to_vector());
  CHECK(set.split(30, Rng(4)).test.labels.to_vector() == held);
  CHECK(set.split(0, Rng(4)).train.labels.to_vector() == set.labels.to_vector());
  CHECK_THROWS_WITH_AS(set.split(101, Rng(4)), "split: cannot hold out 101 of 100 images", Error);
}

TEST_CASE("take: copies, and refuses what is not there") {
  const LabelledImages set = numbered(3);
  const std::vector<std::int64_t> indices = {2, 2, 0};
  CHECK(set.take(indices).labels.to_vector() == std::vector<double>{2, 2, 0});
  const std::vector<std::int64_t> wrong = {3};
  CHECK_THROWS_WITH_AS(set.take(wrong), "take: index 3 is not in a set of 3 images", Error);
  const LabelledImages unequal{set.images, numbered(2).labels};
  CHECK_THROWS_WITH_AS(unequal.take(indices), "take: 3 images but 2 labels", Error);
}
