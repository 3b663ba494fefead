#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/scaled56.h>

using namespace pliant;

namespace {

Tensor noise(std::int64_t count) {
  Tensor images = Tensor::empty({count, 28, 28, 1}, DType::uint8);
  for (std::int64_t i = 0; i < images.size(); ++i)
    images.mutable_data<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(1 + Rng(4).below(static_cast<std::uint64_t>(i), 255));
  return images;
}

// Pixel (r, c) of image i as the header's formula has it, without a padded copy.
std::uint8_t reference(const Tensor& images, std::int64_t i, double zoom, int r, int c) {
  const auto source = [&](int at) {
    return static_cast<int>(std::floor(zoom * (at - 28.5) + 28.5 + 0.5)) - 14;
  };
  const int row = source(r), column = source(c);
  if (row < 0 || row >= 28 || column < 0 || column >= 28) return 0;
  return images.data<std::uint8_t>()[(i * 28 + row) * 28 + column];
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::ranges::equal(a.span<std::uint8_t>(), b.span<std::uint8_t>());
}

}  // namespace

TEST_CASE("scaled56: every pixel as by the formula") {
  const Tensor images = noise(70);  // more than one task
  const Rng rng(9);
  const Tensor large = scaled56(images, rng);
  REQUIRE(large.shape() == Shape{70, 56, 56, 1});
  REQUIRE(large.dtype() == DType::uint8);
  std::int64_t wrong = 0, shrunk = 0, magnified = 0;
  for (std::int64_t i = 0; i < 70; ++i) {
    const double zoom = draw_zoom56(rng.fork(static_cast<std::uint64_t>(i)));
    const std::uint8_t* const image = large.data<std::uint8_t>() + i * 56 * 56;
    std::int64_t ink = 0;
    for (int r = 0; r < 56; ++r)
      for (int c = 0; c < 56; ++c) {
        wrong += image[r * 56 + c] != reference(images, i, zoom, r, c);
        ink += image[r * 56 + c] != 0;
      }
    // The 28 x 28 pixels of ink fill a square of 28 / zoom.
    CHECK(std::abs(std::sqrt(static_cast<double>(ink)) - std::min(56.0, 28 / zoom)) <= 1.0);
    (zoom > 1 ? shrunk : magnified) += 1;
  }
  CHECK(wrong == 0);
  CHECK(shrunk > 20);
  CHECK(magnified > 20);
}

TEST_CASE("scaled56: factors are uniform from a half to one and a half") {
  constexpr int kDraws = 20000;
  double low = 9, high = 0, sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double zoom = draw_zoom56(Rng(5).fork(i));
    low = std::min(low, zoom);
    high = std::max(high, zoom);
    sum += zoom;
    squares += (zoom - 1) * (zoom - 1);
  }
  CHECK(low >= 0.5);
  CHECK(low < 0.501);
  CHECK(high < 1.5);
  CHECK(high > 1.499);
  CHECK(sum / kDraws == doctest::Approx(1.0).epsilon(0.01));
  CHECK(squares / kDraws == doctest::Approx(1.0 / 12).epsilon(0.02));
}

TEST_CASE("scaled56: a pure function, whatever the threads and the images beside it") {
  const Tensor images = noise(130);
  const Rng rng(2);
  const Tensor whole = scaled56(images, rng);
  const int threads = thread_count();
  set_thread_count(1);
  const Tensor alone = scaled56(images, rng);
  const Tensor first = scaled56(images.slice(0, 7), rng);
  set_thread_count(threads);
  CHECK(equal(whole, alone));
  CHECK(equal(whole.slice(0, 7), first));
  CHECK_FALSE(equal(whole, scaled56(images, Rng(3))));
}

TEST_CASE("scaled56: sets keep their labels and are drawn apart") {
  const Tensor images = noise(10);
  const Tensor labels = Tensor::zeros({10}, DType::int64);
  const ImageSets sets = make_scaled56({images, labels}, {images, labels}, Rng(1));
  CHECK(sets.train.size() == 10);
  CHECK(sets.test.size() == 10);
  sets.train.check("test");
  CHECK_FALSE(equal(sets.train.images, sets.test.images));
  CHECK_THROWS_WITH_AS(scaled56(Tensor::zeros({1, 28, 28, 1}), Rng(1)),
                       doctest::Contains("scaled56: needs uint8 [N H W C]"), Error);
  CHECK(scaled56(images.slice(0, 0), Rng(1)).shape() == Shape{0, 56, 56, 1});
}
