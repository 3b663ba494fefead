// Functions of one number, as ops on tensors.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include <pliant/tests/op_case.h>

namespace pliant::test {

// An op, what it should be by the C library, and where it is smooth.
struct ScalarFunction {
  const char* name;
  std::function<Var(const Var&)> op;
  std::function<double(double)> reference;
  double low = -3, high = 3;
  std::vector<double> kinks = {};
};

// Off the kinks by more than gradcheck's step.
inline Tensor sample(const ScalarFunction& f, const Shape& shape) {
  Tensor x = random(shape, 1, f.low, f.high);
  for (double& value : x.mutable_span<double>())
    for (const double kink : f.kinks)
      if (std::abs(value - kink) < 1e-3) value += 0.01;
  return x;
}

inline const std::vector<Shape>& function_shapes() {
  static const std::vector<Shape> all = {{}, {0, 3}, {1, 1}, {7}, {3, 5, 1}, {2, 3, 2, 5}};
  return all;
}

// On every kind of shape, and on more elements than one task has.
inline OpCases function_cases(const std::vector<ScalarFunction>& functions) {
  OpCases all;
  for (const ScalarFunction& f : functions) {
    const auto op = [g = f.op](const Vars& v) { return g(v[0]); };
    for (const Shape& shape : function_shapes())
      all.push_back({f.name, op, {sample(f, shape)}, 1e-4});
    all.push_back({f.name, op, {sample(f, {40009})}, 1e-4, GradientCheck::runs});
  }
  return all;
}

inline double value_at(const std::function<Var(const Var&)>& op, double x,
                       DType dtype = DType::float64) {
  return op(Tensor::full({1}, x, dtype)).value().item();
}

inline double slope_at(const std::function<Var(const Var&)>& op, double x) {
  const Tape tape;
  const Var v = tape.variable(Tensor::scalar(x, DType::float64));
  return tape.gradients(op(v))[v].item();
}

// Values by the reference; NaN stays; kept for the gradient is the argument or the result; what is
// refused.
inline void check_functions(const std::vector<ScalarFunction>& functions) {
  const Tensor kept = random({4, 5}, 2, 0.5, 1.5);
  for (const ScalarFunction& f : functions) {
    CAPTURE(f.name);
    for (const Shape& shape : function_shapes()) {
      const Tensor x = sample(f, shape);
      const std::vector<double> from = x.to_vector(), y = f.op(x).value().to_vector();
      REQUIRE(y.size() == from.size());
      for (std::size_t i = 0; i < y.size(); ++i)
        CHECK(y[i] == doctest::Approx(f.reference(from[i])).epsilon(1e-13));
    }
    const std::string name = f.name;
    if (name != "pow 0") CHECK(std::isnan(value_at(f.op, std::nan(""))));
    const Tape tape;
    f.op(tape.variable(kept));
    CHECK(tape.saved_bytes() == kept.bytes());
    const std::string op = name.substr(0, name.find(' '));
    CHECK(error_of([&] { f.op(Var()); }) == op + ": x is undefined");
    CHECK(error_of([&] { f.op(Tensor::zeros({2}, DType::int64)); }) ==
          op + ": needs float32 or float64, got int64");
  }
}

}  // namespace pliant::test
