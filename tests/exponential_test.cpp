#include <pliant/core/kernels/exponential.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace pliant;

TEST_CASE("exponential: within 1.01 units in the last place, subnormal results too") {
  constexpr int kSteps = 400'000;
  double worst = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const auto x = static_cast<float>(-105 + 193.72 * i / kSteps);
    const double exact = std::exp(static_cast<double>(x));
    const auto rounded = static_cast<float>(exact);
    const double unit =
        static_cast<double>(std::nextafter(rounded, HUGE_VALF)) - static_cast<double>(rounded);
    worst = std::max(worst, std::abs(static_cast<double>(exponential(x)) - exact) / unit);
  }
  CHECK(worst < 1.01);
}

TEST_CASE("exponential: ends of the range, and what is not a number") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(exponential(0.0f) == 1);
  CHECK(exponential(-0.0f) == 1);
  CHECK(exponential(88.7228f) == doctest::Approx(3.40269e38).epsilon(1e-5));
  CHECK(exponential(88.73f) == kInfinity);
  CHECK(exponential(kInfinity) == kInfinity);
  CHECK(exponential(-90.0f) == 8.19401262e-40f);
  CHECK(exponential(-103.97f) == std::numeric_limits<float>::denorm_min());
  CHECK(exponential(-103.98f) == 0);
  CHECK(exponential(-1000.0f) == 0);
  CHECK(exponential(-kInfinity) == 0);
  CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
  CHECK(exponential(1.0) == std::exp(1.0));
}

TEST_CASE("scaled_exponential: the product keeps the digits that a subnormal power has lost") {
  for (const double x : {-88.5, -95.25, -103.0, -106.5}) {
    const auto a = static_cast<float>(x);
    const double exact = x * std::exp(x);
    CHECK(std::abs(static_cast<double>(scaled_exponential(a, a)) - exact) <=
          std::max(std::abs(exact) * 2e-7, 0x1p-149));
  }
  CHECK(scaled_exponential(-720.0, -720.0) ==
        doctest::Approx(std::exp(-720 + std::log(720))).epsilon(1e-9));
  CHECK(scaled_exponential(-1e30f, -1e30f) == 0);
  CHECK(scaled_exponential(-1e300, -1e300) == 0);
}

TEST_CASE("log1p_of_power: within 1.3 units in the last place, and what is small is kept") {
  constexpr int kSteps = 400'000;
  double worst = 0;
  for (int i = 1; i <= kSteps; ++i) {
    const float e = static_cast<float>(i) / kSteps;
    const double exact = std::log1p(static_cast<double>(e));
    const auto rounded = static_cast<float>(exact);
    const double unit =
        static_cast<double>(std::nextafter(rounded, HUGE_VALF)) - static_cast<double>(rounded);
    worst = std::max(worst, std::abs(static_cast<double>(log1p_of_power(e)) - exact) / unit);
  }
  CHECK(worst < 1.3);
  CHECK(log1p_of_power(0.0F) == 0);
  CHECK(log1p_of_power(1e-40F) == 1e-40F);
}
