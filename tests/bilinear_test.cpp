#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <pliant/core/kernels/bilinear.h>

using namespace pliant;

namespace {

constexpr std::int64_t kHeight = 3, kWidth = 4;
const std::vector<double> kMap = {1, 2, 4, 7, 11, 16, 22, 29, 37, 46, 56, 67};

struct Sample {
  double value, d_row, d_column;
};

template <class T = double>
Sample sample(double y, double x, Border border) {
  const BilinearTap<T> tap =
      bilinear_tap(static_cast<T>(y), static_cast<T>(x), kHeight, kWidth, border);
  T v[4];
  for (int i = 0; i < 4; ++i) {
    REQUIRE(tap.pixel[i] >= -1);
    REQUIRE(tap.pixel[i] < kHeight * kWidth);
    v[i] = tap.pixel[i] < 0 ? T(0) : static_cast<T>(kMap[static_cast<std::size_t>(tap.pixel[i])]);
  }
  return {apply(tap.weight, v), apply(tap.d_row, v), apply(tap.d_column, v)};
}

// The definition, over every pixel of the map: a hat of width one round each.
double by_hats(double y, double x, Border border) {
  if (border == Border::dcn_v1 && !(y >= 0 && y < kHeight && x >= 0 && x < kWidth)) return 0;
  if (border != Border::zeros) {
    y = std::fmin(std::fmax(y, 0), kHeight - 1);
    x = std::fmin(std::fmax(x, 0), kWidth - 1);
  }
  double sum = 0;
  for (std::int64_t i = 0; i < kHeight; ++i)
    for (std::int64_t j = 0; j < kWidth; ++j)
      sum += std::fmax(0, 1 - std::fabs(y - static_cast<double>(i))) *
             std::fmax(0, 1 - std::fabs(x - static_cast<double>(j))) *
             kMap[static_cast<std::size_t>(i * kWidth + j)];
  return sum;
}

void check(const Sample& got, double value, double d_row, double d_column) {
  CHECK(got.value == doctest::Approx(value).epsilon(1e-12));
  CHECK(got.d_row == doctest::Approx(d_row).epsilon(1e-12));
  CHECK(got.d_column == doctest::Approx(d_column).epsilon(1e-12));
}

}  // namespace

TEST_CASE("a bilinear tap agrees with hats and their differences everywhere") {
  const double step = 1e-6;
  for (const Border border : {Border::zeros, Border::dcn_v1, Border::clamp})
    for (int i = 0; i < 24; ++i)
      for (int j = 0; j < 27; ++j) {
        const double y = -2.4 + 0.3125 * i, x = -2.43 + 0.3125 * j;
        const Sample got = sample(y, x, border);
        CAPTURE(y);
        CAPTURE(x);
        CHECK(got.value == doctest::Approx(by_hats(y, x, border)).epsilon(1e-12));
        CHECK(got.d_row ==
              doctest::Approx((by_hats(y + step, x, border) - by_hats(y - step, x, border)) / 2 /
                              step)
                  .epsilon(1e-6));
        CHECK(got.d_column ==
              doctest::Approx((by_hats(y, x + step, border) - by_hats(y, x - step, border)) / 2 /
                              step)
                  .epsilon(1e-6));
      }
}

TEST_CASE("at an integer coordinate the derivative is the right-hand one under every rule") {
  for (const Border border : {Border::zeros, Border::dcn_v1, Border::clamp}) {
    check(sample(0, 0, border), 1, 10, 1);
    check(sample(1, 2, border), 22, 34, 7);
    check(sample<float>(1, 1, border), 16, 30, 6);
  }
}

TEST_CASE(
    "the derivative at integer coordinates is what a step to the right finds, out to the ring") {
  const double step = 1e-6;
  for (const Border border : {Border::zeros, Border::dcn_v1, Border::clamp})
    for (int y = -2; y <= kHeight + 1; ++y)
      for (int x = -2; x <= kWidth + 1; ++x) {
        const Sample got = sample(y, x, border);
        CAPTURE(y);
        CAPTURE(x);
        CHECK(std::fabs(got.d_row - (by_hats(y + step, x, border) - by_hats(y, x, border)) / step) <
              1e-6);
        CHECK(std::fabs(got.d_column -
                        (by_hats(y, x + step, border) - by_hats(y, x, border)) / step) < 1e-6);
      }
}

TEST_CASE("the zero-padded rule at the edges of its open interval") {
  check(sample(-1, 1, Border::zeros), 0, 2, 0);  // begins to rise
  check(sample(3, 1, Border::zeros), 0, 0, 0);
  check(sample(1, -1, Border::zeros), 0, 0, 11);
  check(sample(1, 4, Border::zeros), 0, 0, 0);
  check(sample(-1, -1, Border::zeros), 0, 0, 0);  // along either axis it stays in the ring
  check(sample(-1, 0.5, Border::zeros), 0, 1.5, 0);
  check(sample(-1, -0.5, Border::zeros), 0, 0.5, 0);
  check(sample(-1, 4, Border::zeros), 0, 0, 0);
  check(sample<float>(std::nextafter(-1.0F, -2.0F), 1, Border::zeros), 0, 0, 0);
  check(sample(2, 1, Border::zeros), 46, -46, 10);  // the last row fades to zero
  check(sample(1, 3, Border::zeros), 29, 38, -29);
  check(sample(-0.5, 1, Border::zeros), 1, 2, 1);
  check(sample(2.75, 1, Border::zeros), 11.5, -46, 2.5);
}

TEST_CASE("the first operator's rule repeats the last row and is 0 before the first") {
  check(sample(-1e-9, 1, Border::dcn_v1), 0, 0, 0);
  check(sample(2, 1, Border::dcn_v1), 46, 0, 10);
  check(sample(2.75, 1, Border::dcn_v1), 46, 0, 10);
  check(sample(2.75, 3.5, Border::dcn_v1), 67, 0, 0);
  check(sample(1, 3, Border::dcn_v1), 29, 38, 0);
  check(sample(3, 1, Border::dcn_v1), 0, 0, 0);
}

TEST_CASE("the clamped rule keeps the edge pixel and stops the gradient there") {
  check(sample(-0.5, 1, Border::clamp), 2, 0, 2);
  check(sample(2, 1, Border::clamp), 46, 0, 10);
  check(sample(7, 1.5, Border::clamp), 51, 0, 10);
  check(sample(0.5, 9, Border::clamp), 18, 22, 0);
}

TEST_CASE("coordinates that are huge or not finite") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const double far : {1e18, -1e18, 1e30, infinity, -infinity, nan})
    for (const Border border : {Border::zeros, Border::dcn_v1}) {
      check(sample(far, 1, border), 0, 0, 0);
      check(sample<float>(1, far, border), 0, 0, 0);
      check(sample(far, far, border), 0, 0, 0);
    }
  check(sample(infinity, 1, Border::clamp), 46, 0, 10);
  check(sample(-1e18, 1, Border::clamp), 2, 0, 2);
  check(sample<float>(1, 1e30, Border::clamp), 29, 38, 0);
  check(sample(1, -infinity, Border::clamp), 11, 26, 0);
  check(sample(nan, 1, Border::clamp), 0, 0, 0);
  check(sample<float>(1, nan, Border::clamp), 0, 0, 0);
}

TEST_CASE("no tap reads past a map whose size a float does not hold") {
  const std::int64_t one = 1;
  for (const int bits : {24, 25, 28, 31})
    for (std::int64_t size = (one << bits) - 9; size < (one << bits) + 9; ++size) {
      if (size >= one << 31) continue;
      for (const Border border : {Border::zeros, Border::dcn_v1, Border::clamp}) {
        auto at = static_cast<float>(size - 200);
        while (at < static_cast<float>(size + 500)) {  // every float there
          const AxisTap<float> tap = axis_tap(at, static_cast<std::int32_t>(size), border);
          REQUIRE(tap.low >= -1);
          REQUIRE(tap.low < size);
          REQUIRE(tap.high < size);
          at = std::nextafter(at, HUGE_VALF);
        }
      }
      const AxisTap<float> last = axis_tap(1e30f, static_cast<std::int32_t>(size), Border::clamp);
      CHECK(static_cast<float>(last.low) == static_cast<float>(size - 1));
      CHECK(last.low_weight == 1);
    }
}

TEST_CASE("a map of one pixel") {
  for (const Border border : {Border::dcn_v1, Border::clamp}) {
    const BilinearTap<double> tap = bilinear_tap(0.0, 0.5, 1, 1, border);
    CHECK(tap.pixel[0] == 0);
    CHECK(tap.weight[0] == 1);
    for (const double slope : tap.d_row) CHECK(slope == 0);
  }
  const BilinearTap<double> tap = bilinear_tap(-0.25, 0.0, 1, 1, Border::zeros);
  CHECK(tap.pixel[2] == 0);
  CHECK(tap.weight[2] == 0.75);
  CHECK(tap.d_row[2] == 1);
  CHECK(tap.d_column[2] == -0.75);
}
