#include <pliant/core/kernels/unary.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

// An op, what it should be by the C library, and where it is smooth.
struct Function {
  const char* name;
  std::function<Var(const Var&)> op;
  std::function<double(double)> reference;
  double low = -3, high = 3;
  std::vector<double> kinks = {};
};

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"relu",
       [](const Var& x) { return relu(x); },
       [](double x) { return x > 0 ? x : 0; },
       -3,
       3,
       {0}},
      {"leaky_relu",
       [](const Var& x) { return leaky_relu(x, 0.2); },
       [](double x) { return x > 0 ? x : 0.2 * x; },
       -3,
       3,
       {0}},
      {"sigmoid", [](const Var& x) { return sigmoid(x); },
       [](double x) { return 0.5 + 0.5 * std::tanh(x / 2); }},
      {"tanh", [](const Var& x) { return tanh(x); }, [](double x) { return std::tanh(x); }},
      {"silu", [](const Var& x) { return silu(x); },
       [](double x) { return x / (1 + std::exp(-x)); }},
      {"gelu", [](const Var& x) { return gelu(x); },
       [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }},
      {"gelu_tanh", [](const Var& x) { return gelu_tanh(x); },
       [](double x) {
         return x / 2 *
                (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
       }},
      {"mish",
       [](const Var& x) { return mish(x); },
       [](double x) { return x * std::tanh(std::log1p(std::exp(x))); },
       -3,
       3,
       {0}},
      {"hardswish",
       [](const Var& x) { return hardswish(x); },
       [](double x) { return x * std::fmin(std::fmax(x + 3, 0), 6) / 6; },
       -4,
       4,
       {-3, 3}},
      {"log1p", [](const Var& x) { return log1p(x); }, [](double x) { return std::log1p(x); },
       -0.8},
      {"expm1", [](const Var& x) { return expm1(x); }, [](double x) { return std::expm1(x); }},
      {"sin", [](const Var& x) { return sin(x); }, [](double x) { return std::sin(x); }, -9, 9},
      {"cos", [](const Var& x) { return cos(x); }, [](double x) { return std::cos(x); }, -9, 9},
      {"erf", [](const Var& x) { return erf(x); }, [](double x) { return std::erf(x); }},
      {"floor",
       [](const Var& x) { return floor(x); },
       [](double x) { return std::floor(x); },
       -3,
       3,
       {-3, -2, -1, 0, 1, 2}},
      {"ceil",
       [](const Var& x) { return ceil(x); },
       [](double x) { return std::ceil(x); },
       -3,
       3,
       {-3, -2, -1, 0, 1, 2}},
      {"round",
       [](const Var& x) { return round(x); },
       [](double x) { return std::nearbyint(x); },
       -3,
       3,
       {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}},
      {"sign",
       [](const Var& x) { return sign(x); },
       [](double x) { return x > 0 ? 1 : -1; },
       -3,
       3,
       {0}},
      {"softplus",
       [](const Var& x) { return softplus(x); },
       [](double x) { return std::log(1 + std::exp(x)); },
       -3,
       3,
       {0}},
      {"exp", [](const Var& x) { return exp(x); }, [](double x) { return std::exp(x); }},
      {"log", [](const Var& x) { return log(x); }, [](double x) { return std::log(x); }, 0.1, 3},
      {"sqrt", [](const Var& x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.1},
      {"rsqrt", [](const Var& x) { return rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); },
       0.3},
      {"square", [](const Var& x) { return square(x); }, [](double x) { return x * x; }},
      {"pow 2", [](const Var& x) { return pow(x, 2); }, [](double x) { return x * x; }},
      {"pow 3", [](const Var& x) { return pow(x, 3); }, [](double x) { return x * x * x; }},
      {"pow 0", [](const Var& x) { return pow(x, 0); }, [](double) { return 1; }},
      {"pow 1.7", [](const Var& x) { return pow(x, 1.7); },
       [](double x) { return std::pow(x, 1.7); }, 0.1},
      {"pow -0.5", [](const Var& x) { return pow(x, -0.5); },
       [](double x) { return 1 / std::sqrt(x); }, 0.3},
      {"abs",
       [](const Var& x) { return abs(x); },
       [](double x) { return std::fabs(x); },
       -3,
       3,
       {0}},
      {"clamp",
       [](const Var& x) { return clamp(x, -1, 0.5); },
       [](double x) { return std::fmin(std::fmax(x, -1), 0.5); },
       -3,
       3,
       {-1, 0.5}},
      {"clamp below",
       [](const Var& x) { return clamp(x, 0.25, kInf); },
       [](double x) { return std::fmax(x, 0.25); },
       -3,
       3,
       {0.25}},
  };
  return all;
}

// Off the kinks by more than gradcheck's step.
Tensor sample(const Function& f, const Shape& shape) {
  Tensor x = random(shape, 1, f.low, f.high);
  for (double& value : x.mutable_span<double>())
    for (const double kink : f.kinks)
      if (std::abs(value - kink) < 1e-3) value += 0.01;
  return x;
}

double at(const std::function<Var(const Var&)>& op, double x, DType dtype = DType::float64) {
  return op(Tensor::full({1}, x, dtype)).value().item();
}

double slope_at(const std::function<Var(const Var&)>& op, double x) {
  const Tape tape;
  const Var v = tape.variable(Tensor::scalar(x, DType::float64));
  return tape.gradients(op(v))[v].item();
}

}  // namespace

TEST_CASE("unary: values and gradients of every function, on every kind of shape") {
  for (const Function& f : functions())
    for (const Shape& shape :
         {Shape{}, Shape{0, 3}, Shape{1, 1}, Shape{7}, Shape{3, 5, 1}, Shape{2, 3, 2, 5}}) {
      CAPTURE(f.name);
      const Tensor x = sample(f, shape);
      const std::vector<double> from = x.to_vector(), y = f.op(x).value().to_vector();
      REQUIRE(y.size() == from.size());
      for (std::size_t i = 0; i < y.size(); ++i)
        CHECK(y[i] == doctest::Approx(f.reference(from[i])).epsilon(1e-13));
      check({f.name, [&](const Vars& v) { return f.op(v[0]); }, {x}, 1e-4});
    }
}

TEST_CASE("unary: the same bits on any number of threads, more than one task") {
  for (const Function& f : functions()) {
    CAPTURE(f.name);
    const OpCase op = {f.name, [&](const Vars& v) { return f.op(v[0]); }, {sample(f, {40009})}};
    check_same_on_any_threads(op);
  }
}

TEST_CASE("unary: NaN stays, and large arguments overflow nothing") {
  for (const Function& f : functions()) {
    CAPTURE(f.name);
    if (std::string(f.name) != "pow 0") CHECK(std::isnan(at(f.op, kNan)));
  }
  const auto tangent = [](const Var& x) { return tanh(x); };
  for (const DType dtype : {DType::float32, DType::float64}) {
    const double tiny = dtype == DType::float32 ? 1e-7 : 1e-15;
    CHECK(at(softplus, 1e4, dtype) == 1e4);
    CHECK(at(softplus, -1e4, dtype) == 0);
    CHECK(at(softplus, -40, dtype) == doctest::Approx(std::exp(-40.0)).epsilon(tiny));
    CHECK(at(silu, 1e4, dtype) == 1e4);
    CHECK(at(silu, -1e4, dtype) == 0);
    CHECK(at(tangent, 1e4, dtype) == 1);
    CHECK(at(gelu, 1e4, dtype) == 1e4);
    CHECK(at(gelu, -1e4, dtype) == 0);
    CHECK(at(sigmoid, -1e4, dtype) == 0);
  }
  // Far in the tail the exact form keeps its digits: x Q(-x), Q(10) = 7.619853024160527e-24.
  CHECK(at(gelu, -10) == doctest::Approx(-7.619853024160527e-23).epsilon(1e-12));
  for (const auto& op : {softplus, silu, gelu, sigmoid})
    for (const double x : {-1e30, -1e4, 1e4, 1e30}) CHECK(std::isfinite(slope_at(op, x)));
}

TEST_CASE("unary: derivatives at the kinks") {
  CHECK(slope_at(relu, 0) == 0);
  const auto absolute = [](const Var& x) { return abs(x); };
  CHECK(slope_at(absolute, 0) == 0);
  const auto leaky = [](const Var& x) { return leaky_relu(x, 0.2); };
  CHECK(slope_at(leaky, 0) == 0.2);
  const auto clamped = [](const Var& x) { return clamp(x, -1, 2); };
  CHECK(slope_at(clamped, -1) == 0);
  CHECK(slope_at(clamped, 1.5) == 1);
  CHECK(slope_at(clamped, 2) == 0);
  CHECK(slope_at(clamped, 2.5) == 0);
  const auto constant = [](const Var& x) { return pow(x, 0); };
  CHECK(slope_at(constant, 0) == 0);
  const auto linear = [](const Var& x) { return pow(x, 1); };
  CHECK(slope_at(linear, 0) == 1);
}

TEST_CASE("unary: what is kept for the gradient is the argument or the result") {
  const Tensor x = random({4, 5}, 2, 0.5, 1.5);
  for (const Function& f : functions()) {
    CAPTURE(f.name);
    const Tape tape;
    f.op(tape.variable(x));
    CHECK(tape.saved_bytes() == x.bytes());
  }
}

TEST_CASE("unary: bad arguments") {
  for (const Function& f : functions()) {
    const std::string name = std::string(f.name).substr(0, std::string(f.name).find(' '));
    CHECK(error_of([&] { f.op(Var()); }) == name + ": x is undefined");
    CHECK(error_of([&] { f.op(Tensor::zeros({2}, DType::int64)); }) ==
          name + ": needs float32 or float64, got int64");
  }
  const Tensor x = random({2}, 1);
  CHECK(error_of([&] { clamp(x, 1, 0); }) == "clamp: the bounds are 1 and 0, expected low <= high");
  CHECK(contains(error_of([&] { clamp(x, kNan, 0); }), "expected low <= high"));
}
