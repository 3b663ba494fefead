#include <pliant/layers/initialisers.h>

#include <numbers>

#include <pliant/core/distributions.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

std::vector<double> drawn(const Initialiser& initialiser, const Shape& shape,
                          std::uint64_t seed = 1) {
  Tensor tensor = Tensor::full(shape, NAN);
  initialiser(tensor, Rng(seed));
  return tensor.to_vector();
}

struct Moments {
  double mean = 0, deviation = 0, smallest = HUGE_VAL, largest = -HUGE_VAL, fourth = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) {
    m.mean += v / n;
    m.smallest = std::min(m.smallest, v);
    m.largest = std::max(m.largest, v);
  }
  for (const double v : values) m.deviation += (v - m.mean) * (v - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  for (const double v : values) m.fourth += std::pow((v - m.mean) / m.deviation, 4) / n;
  return m;
}

// Normal has a fourth moment of 3, uniform one of 9/5.
void check_normal(const std::vector<double>& values, double deviation, double mean = 0) {
  const Moments m = moments_of(values);
  CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.02));
  CHECK(std::abs(m.mean - mean) < 0.02 * deviation);
  CHECK(m.fourth == doctest::Approx(3).epsilon(0.05));
}

void check_uniform(const std::vector<double>& values, double deviation) {
  const Moments m = moments_of(values);
  CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.02));
  CHECK(std::abs(m.mean) < 0.02 * deviation);
  CHECK(m.largest <= std::numbers::sqrt3 * deviation * (1 + 1e-6));
  CHECK(m.largest > 0.99 * std::numbers::sqrt3 * deviation);
  CHECK(m.fourth == doctest::Approx(1.8).epsilon(0.05));
}

const Shape kConv{48, 3, 5, 40};  // fan in 600, fan out 720

}  // namespace

TEST_CASE("init::kaiming: deviation gain / sqrt(fan)") {
  using namespace init;
  check_normal(drawn(kaiming_normal(), kConv), std::sqrt(2.0 / 600));
  check_normal(drawn(kaiming_normal({.fan = Fan::out}), kConv), std::sqrt(2.0 / 720));
  check_uniform(drawn(kaiming_uniform(), kConv), std::sqrt(2.0 / 600));
  check_uniform(
      drawn(kaiming_uniform({.fan = Fan::out, .nonlinearity = Nonlinearity::linear}), kConv),
      std::sqrt(1.0 / 720));
  check_normal(
      drawn(kaiming_normal({.nonlinearity = Nonlinearity::leaky_relu, .negative_slope = 0.5}),
            {300, 200}),
      std::sqrt(2 / 1.25 / 200));
  // torch's default of Linear and Conv2d: uniform within 1 / sqrt(fan_in).
  check_uniform(drawn(kaiming_uniform({.nonlinearity = Nonlinearity::leaky_relu,
                                       .negative_slope = std::sqrt(5.0)}),
                      {300, 200}),
                1 / std::sqrt(3.0 * 200));
}

TEST_CASE("init::gain: as PyTorch's table") {
  using init::gain, init::Nonlinearity;
  CHECK(gain(Nonlinearity::linear) == 1);
  CHECK(gain(Nonlinearity::sigmoid) == 1);
  CHECK(gain(Nonlinearity::tanh) == doctest::Approx(1.6666666666666667).epsilon(1e-15));
  CHECK(gain(Nonlinearity::relu) == doctest::Approx(1.4142135623730951).epsilon(1e-15));
  CHECK(gain(Nonlinearity::leaky_relu) == doctest::Approx(1.4141428569978354).epsilon(1e-15));
  CHECK(gain(Nonlinearity::leaky_relu, 1) == 1);
  CHECK(gain(Nonlinearity::selu) == 0.75);
}

TEST_CASE("init::xavier: deviation gain sqrt(2 / (fan in + fan out))") {
  check_normal(drawn(init::xavier_normal(), kConv), std::sqrt(2.0 / 1320));
  check_uniform(drawn(init::xavier_uniform(), kConv), std::sqrt(2.0 / 1320));
  check_uniform(drawn(init::xavier_uniform(5.0 / 3), {100, 500}), 5.0 / 3 * std::sqrt(2.0 / 600));
  check_normal(drawn(init::normal(0.01, 0.5), kConv), 0.01, 0.5);
}

TEST_CASE("init::truncated_normal: a normal's middle, and nothing else") {
  // Of the standard normal cut at -a, a: variance 1 - 2 a f(a) / (2 F(a) - 1).
  const auto cut = [](double a) {
    const double density = std::exp(-a * a / 2) / std::sqrt(2 * std::numbers::pi);
    return std::sqrt(1 - 2 * a * density / (2 * normal_cdf(a) - 1));
  };
  for (const double a : {0.5, 1.0, 2.0}) {
    const Moments m = moments_of(drawn(
        init::truncated_normal({.mean = 3, .deviation = 2, .low = 3 - 2 * a, .high = 3 + 2 * a}),
        kConv));
    CHECK(m.mean == doctest::Approx(3).epsilon(0.01));
    CHECK(m.deviation == doctest::Approx(2 * cut(a)).epsilon(0.02));
    CHECK(m.smallest >= static_cast<double>(static_cast<float>(3 - 2 * a)));
    CHECK(m.largest <= static_cast<double>(static_cast<float>(3 + 2 * a)));
    CHECK(m.largest > 3 + 1.9 * a);
  }
  check_normal(
      drawn(init::truncated_normal({.deviation = 0.02, .low = -HUGE_VAL, .high = HUGE_VAL}), kConv),
      0.02);
  // Far out on either side, where one tail's probabilities are all about 1.
  for (const double side : {-1.0, 1.0}) {
    const double low = side < 0 ? -11 : 10, high = side < 0 ? -10 : 11;
    const std::vector<double> values =
        drawn(init::truncated_normal({.low = low, .high = high}), kConv);
    const Moments m = moments_of(values);
    CHECK(m.smallest >= low);
    CHECK(m.largest <= high);
    CHECK(side * m.mean == doctest::Approx(10.098).epsilon(0.001));  // 10 + 1/10 - 2/1000
    CHECK(m.deviation > 0.08);
  }
}

TEST_CASE("init::orthogonal: the rows of the flattened weight, or its columns") {
  const double gain = 1.5;
  const Shape wide{6, 3, 3, 4};
  const std::vector<double> w = drawn(init::orthogonal(gain), wide);
  for (std::size_t a = 0; a < 6; ++a)
    for (std::size_t b = 0; b < 6; ++b) {
      double product = 0;
      for (std::size_t i = 0; i < 36; ++i) product += w[a * 36 + i] * w[b * 36 + i];
      CHECK(std::abs(product - (a == b ? gain * gain : 0)) < 1e-6);
    }
  const std::vector<double> tall = drawn(init::orthogonal(), {9, 4});
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < 4; ++b) {
      double product = 0;
      for (std::size_t i = 0; i < 9; ++i) product += tall[i * 4 + a] * tall[i * 4 + b];
      CHECK(std::abs(product - (a == b ? 1 : 0)) < 1e-6);
    }
}

TEST_CASE("init::identity: one at the centre tap of each channel's own") {
  const std::vector<double> w = drawn(init::identity(), {4, 3, 5, 4});
  for (std::size_t out = 0; out < 4; ++out)
    for (std::size_t tap = 0; tap < 15; ++tap)
      for (std::size_t in = 0; in < 4; ++in)
        CHECK(w[(out * 15 + tap) * 4 + in] == (tap == 7 && in == out ? 1 : 0));
}

TEST_CASE("init: a pure function of the key; misuse is an Error") {
  for (const Initialiser& initialiser :
       {init::kaiming_normal(), init::kaiming_uniform(), init::xavier_normal(),
        init::xavier_uniform(), init::truncated_normal(), init::orthogonal()}) {
    CHECK(drawn(initialiser, {3, 4}, 1) == drawn(initialiser, {3, 4}, 1));
    CHECK(drawn(initialiser, {3, 4}, 1) != drawn(initialiser, {3, 4}, 2));
  }
  const auto check_fans = [](const Initialiser& initialiser, const std::string& name) {
    CHECK(
        contains(error_of([&] { drawn(initialiser, {3}); }), name + ": a tensor [3] has no fans"));
  };
  check_fans(init::kaiming_normal(), "kaiming_normal");
  check_fans(init::kaiming_uniform(), "kaiming_uniform");
  check_fans(init::xavier_normal(), "xavier_normal");
  check_fans(init::xavier_uniform(), "xavier_uniform");
  CHECK(contains(error_of([] { drawn(init::orthogonal(), {3}); }), "orthogonal: a tensor [3]"));
  CHECK(contains(error_of([] {
                   drawn(init::identity(), {4, 2, 2, 4});
                 }),
                 "identity: a weight [4 2 2 4]; needs [C R S C] with odd R and S"));
  CHECK(contains(error_of([] { init::truncated_normal({.deviation = 0}); }), "deviation 0"));
  CHECK(
      contains(error_of([] { init::truncated_normal({.low = 2, .high = 2}); }), "bounds 2 and 2"));
  CHECK(contains(error_of([] { init::truncated_normal({.low = 40, .high = 41}); }),
                 "no probability between 40 and 41"));
}
