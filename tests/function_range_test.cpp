// Elementary functions over all of a dtype's numbers, subnormal results among them, against a wider
// dtype's.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// An op, what it should be, and how far it may be off in units in the last place (the smallest
// number where the result is subnormal).
struct Function {
  const char* name;
  std::function<Var(const Var&)> op;
  std::function<long double(long double)> reference;
  double units;
};

long double sigmoid_of(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

const std::vector<Function>& functions() {
  using Wide = long double;
  static const std::vector<Function> all = {
      {"exp", [](const Var& x) { return exp(x); }, [](Wide x) { return std::exp(x); }, 1.01},
      {"sigmoid", sigmoid, sigmoid_of, 2.5},
      {"softplus", softplus,
       [](Wide x) { return std::max(x, Wide(0)) + std::log1p(std::exp(-std::abs(x))); }, 2.5},
      {"silu", silu, [](Wide x) { return x * sigmoid_of(x); }, 3},
      {"tanh", [](const Var& x) { return tanh(x); }, [](Wide x) { return std::tanh(x); }, 2.5},
      {"log", [](const Var& x) { return log(x); }, [](Wide x) { return std::log(x); }, 1},
      {"sqrt", [](const Var& x) { return sqrt(x); }, [](Wide x) { return std::sqrt(x); }, 0.51},
      {"rsqrt", [](const Var& x) { return rsqrt(x); }, [](Wide x) { return 1 / std::sqrt(x); },
       1.6},
      {"square", [](const Var& x) { return square(x); }, [](Wide x) { return x * x; }, 0.51},
      {"pow 1.5", [](const Var& x) { return pow(x, 1.5); },
       [](Wide x) { return std::pow(x, Wide(1.5)); }, 1},
  };
  return all;
}

// Every `stride`-th number, of either sign, and those in [low, high] sixteen times as dense.
template <class T, class Bits>
Tensor numbers(Bits stride, T low, T high) {
  std::vector<T> all = {T(0), T(-0.0), std::numeric_limits<T>::infinity(),
                        -std::numeric_limits<T>::infinity()};
  const auto add = [&](T from, T to, Bits step) {
    for (Bits bits = std::bit_cast<Bits>(from); bits <= std::bit_cast<Bits>(to); bits += step)
      for (const T sign : {T(1), T(-1)}) all.push_back(sign * std::bit_cast<T>(bits));
  };
  add(std::numeric_limits<T>::denorm_min(), std::numeric_limits<T>::max(), stride);
  add(low, high, stride / 16);
  return Tensor::from<T>(all, {static_cast<std::int64_t>(all.size())});
}

// The worst distance of y to reference(x), in units in the last place of T, and where.
template <class T>
std::pair<double, T> worst_units(const Tensor& x, const Tensor& y,
                                 const std::function<long double(long double)>& reference) {
  std::pair<double, T> worst{0, T(0)};
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const T at = x.data<T>()[i], got = y.data<T>()[i];
    const long double exact = reference(at);
    const T rounded = static_cast<T>(exact);
    double units = 0;
    if (std::isfinite(got) && std::isfinite(rounded)) {
      const T size = std::abs(rounded), step = size - std::nextafter(size, T(0));
      const T unit = size == T(0) ? std::numeric_limits<T>::denorm_min() : step;
      units = static_cast<double>(std::abs(got - exact) / unit);
    } else if (got != rounded && !(std::isnan(got) && std::isnan(rounded))) {
      units = HUGE_VAL;
    }
    if (units > worst.first) worst = {units, at};
  }
  return worst;
}

template <class T>
void check_range(const Tensor& x) {
  for (const Function& f : functions()) {
    const auto worst = worst_units<T>(x, f.op(x).value(), f.reference);
    CAPTURE(f.name);
    CAPTURE(worst.second);
    CHECK(worst.first <= f.units);
  }
}

}  // namespace

TEST_CASE("elementary functions: the C library's values over all of float32's range") {
  check_range<float>(numbers<float, std::uint32_t>(50021, 60, 110));
}

TEST_CASE("elementary functions: the C library's values over all of float64's range") {
  check_range<double>(numbers<double, std::uint64_t>((std::uint64_t{1} << 48) + 12345, 700, 750));
}

TEST_CASE("elementary functions: small results are not flushed to zero") {
  const Tensor x = Tensor::from<float>({-90, -100, -103}, {3});
  for (std::size_t i = 0; i < 3; ++i) {
    const double at = x.data<float>()[i], e = std::exp(at);
    CHECK(exp(x).value().to_vector()[i] == static_cast<float>(e));
    CHECK(sigmoid(x).value().to_vector()[i] == static_cast<float>(e));
    CHECK(softplus(x).value().to_vector()[i] == static_cast<float>(e));
    CHECK(silu(x).value().to_vector()[i] == doctest::Approx(at * e).epsilon(3e-7));
  }
  const Tensor half = exp(Tensor::full({1}, -90, DType::bfloat16)).value();
  CHECK(half.to_vector()[0] == doctest::Approx(std::exp(-90.0)).epsilon(0.06));
  const Tensor far = Tensor::from<float>({0, -95, -1e30F}, {1, 3});
  CHECK(softmax(far).value().to_vector()[1] == static_cast<float>(std::exp(-95.0)));
  CHECK(softmax(far).value().to_vector()[2] == 0);
  CHECK(log_softmax(far).value().to_vector()[1] == -95);
  // The gradients of what is small are small, not 0.
  for (const auto& op : {softplus, sigmoid, silu}) {
    const Tape tape;
    const Var v = tape.variable(Tensor::from<float>({-92}, {1}));
    const double want = std::exp(-92.0) * (op == silu ? -91 : 1);
    const Tensor one = Tensor::full({1}, 1);
    CHECK(tape.gradients(op(v), {}, {.cotangent = one})[v].item() ==
          doctest::Approx(want).epsilon(1e-4));
  }
}

TEST_CASE("gelu: the tail keeps digits, as many as x x / 2 leaves of its argument's") {
  double worst = 0;
  for (float x = -14.2F; x < 14; x += 0.001F) {
    const double exact =
        static_cast<double>(x) * std::erfc(-static_cast<double>(x) * std::numbers::sqrt2 / 2) / 2;
    const double got = gelu(Tensor::full({1}, x)).value().item();
    const double room =
        std::abs(exact) * std::max(4.0, static_cast<double>(x * x)) * 0x1p-23 + 14 * 0x1p-149;
    worst = std::max(worst, std::abs(got - exact) / room);
  }
  CHECK(worst <= 1);
}

TEST_CASE("gelu: the tail of its slope keeps digits too") {
  double worst = 0;
  for (float x = -14.2F; x < 14; x += 0.01F) {
    const double at = static_cast<double>(x), below = std::erfc(-at * std::numbers::sqrt2 / 2) / 2,
                 density = std::exp(at * at / -2) / std::sqrt(2 * std::numbers::pi);
    const Tape tape;
    const Var v = tape.variable(Tensor::full({1}, at));
    const double got = tape.gradients(gelu(v), {}, {.cotangent = Tensor::full({1}, 1)})[v].item();
    const double size = below + std::abs(at) * density;  // of its two terms, which may cancel
    const double room = size * std::max(4.0, at * at) * 0x1p-23 + 14 * 0x1p-149;
    worst = std::max(worst, std::abs(got - (below + at * density)) / room);
  }
  CHECK(worst <= 1);
}
