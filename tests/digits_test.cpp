#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <pliant/core/parallel.h>
#include <pliant/data/digits.h>
#include <pliant/data/internal/glyphs.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using test::same_bits;

namespace {

constexpr std::int64_t kPixels = 784;

std::string image(const LabelledImages& set, std::int64_t index) {
  const std::uint8_t* const pixels = set.images.data<std::uint8_t>() + index * kPixels;
  return std::string(pixels, pixels + kPixels);
}

// The mean image of each class.
std::array<std::array<double, kPixels>, 10> class_means(const LabelledImages& set) {
  std::array<std::array<double, kPixels>, 10> sums{};
  std::array<double, 10> counts{};
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const auto label = static_cast<std::size_t>(set.labels.data<std::int64_t>()[i]);
    ++counts[label];
    for (std::int64_t p = 0; p < kPixels; ++p)
      sums[label][static_cast<std::size_t>(p)] += set.images.data<std::uint8_t>()[i * kPixels + p];
  }
  for (std::size_t label = 0; label < 10; ++label)
    for (double& sum : sums[label]) sum /= counts[label];
  return sums;
}

std::size_t nearest(const std::array<std::array<double, kPixels>, 10>& means,
                    const std::uint8_t* pixels) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::max();
  for (std::size_t label = 0; label < 10; ++label) {
    double distance = 0;
    for (std::size_t p = 0; p < kPixels; ++p) {
      const double difference = means[label][p] - pixels[p];
      distance += difference * difference;
    }
    if (distance < least) {
      least = distance;
      best = label;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("digits: shapes, types, all classes about equally often") {
  const LabelledImages set = make_digits(4000, Rng(1));
  CHECK(set.images.shape() == Shape{4000, 28, 28, 1});
  CHECK(set.images.dtype() == DType::uint8);
  CHECK_NOTHROW(set.check("digits"));
  std::array<int, 10> counts{};
  for (const std::int64_t label : set.labels.span<std::int64_t>()) {
    REQUIRE(label >= 0);
    REQUIRE(label <= 9);
    ++counts[static_cast<std::size_t>(label)];
  }
  for (const int count : counts) CHECK(std::abs(count - 400) < 5 * std::sqrt(360.0));
  CHECK(make_digits(0, Rng(1)).size() == 0);
  CHECK_THROWS_AS(make_digits(-1, Rng(1)), Error);
}

TEST_CASE("digits: the same on any number of threads and in any longer set") {
  const int threads = thread_count();
  set_thread_count(1);
  const LabelledImages alone = make_digits(300, Rng(2));
  set_thread_count(3);
  const LabelledImages longer = make_digits(500, Rng(2));
  set_thread_count(threads);
  CHECK(same_bits(alone.images, longer.images.slice(0, 300)));
  CHECK(same_bits(alone.labels, longer.labels.slice(0, 300)));
  CHECK_FALSE(same_bits(alone.images, make_digits(300, Rng(3)).images));
}

TEST_CASE("digits: no image comes twice, within a set or in its held-out part") {
  const Rng rng(1);
  std::set<std::string> seen;
  for (const char* part : {"train", "test"}) {
    const LabelledImages set = make_digits(1000, rng.fork(part));
    for (std::int64_t i = 0; i < set.size(); ++i) seen.insert(image(set, i));
  }
  CHECK(seen.size() == 2000);
}

TEST_CASE("digits: ink is bright, anti-aliased, centred, and leaves a border") {
  const LabelledImages set = make_digits(1000, Rng(4));
  const std::uint8_t* pixels = set.images.data<std::uint8_t>();
  std::int64_t between = 0;
  double border = 0, all = 0;
  for (std::int64_t i = 0; i < set.size(); ++i, pixels += kPixels) {
    double ink = 0, rows = 0, columns = 0;
    CHECK_FALSE(*std::max_element(pixels, pixels + kPixels) < 150);
    for (std::int64_t p = 0; p < kPixels; ++p) {
      const std::int64_t row = p / 28, column = p % 28;
      ink += pixels[p];
      rows += static_cast<double>(row) * pixels[p];
      columns += static_cast<double>(column) * pixels[p];
      between += pixels[p] > 20 && pixels[p] < 235;
      if (row < 2 || row > 25 || column < 2 || column > 25) border += pixels[p];
    }
    CHECK_FALSE(std::abs(rows / ink - 13.5) > 2.0);
    CHECK_FALSE(std::abs(columns / ink - 13.5) > 2.0);
    all += ink;
  }
  CHECK(all / 1000 / kPixels > 15);
  CHECK(all / 1000 / kPixels < 60);
  CHECK(between > 1000 * 20);
  CHECK(border < 0.005 * all);
}

TEST_CASE("digits: the labels say what is drawn, also in the held-out part") {
  const Rng rng(1);
  const auto means = class_means(make_digits(4000, rng.fork("train")));
  const LabelledImages held_out = make_digits(1000, rng.fork("test"));
  int right = 0;
  for (std::int64_t i = 0; i < held_out.size(); ++i)
    right += static_cast<std::int64_t>(
                 nearest(means, held_out.images.data<std::uint8_t>() + i * kPixels)) ==
             held_out.labels.data<std::int64_t>()[i];
  INFO("of 1000 by the nearest class mean: ", right);
  CHECK(right > 600);  // chance: 100
  CHECK(right < 970);  // a task that a mean image solves would teach nothing
}

TEST_CASE("glyphs: every digit has several drawings, within the unit square") {
  for (int digit = 0; digit < 10; ++digit) {
    CHECK(glyphs_of(digit).size() >= 3);
    for (const Glyph& glyph : glyphs_of(digit))
      for (const Stroke& stroke : glyph) {
        CHECK(stroke.size() >= 2);
        for (const Point& p : stroke) CHECK((p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1));
      }
  }
}
