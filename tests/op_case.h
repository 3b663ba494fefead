// What every test of an op shares: random tensors, comparison, gradcheck, the message of an Error.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/autograd/gradcheck.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>
#include <pliant/tests/same_bits.h>

namespace pliant::test {

// Uniform in [low, high), a pure function of `seed`.
inline Tensor random(const Shape& shape, std::uint64_t seed, double low = -1.0, double high = 1.0,
                     DType dtype = DType::float64) {
  Tensor t = Tensor::empty(shape, DType::float64);
  double* const to = t.mutable_data<double>();
  for (std::int64_t i = 0; i < t.size(); ++i)
    to[i] = Rng(seed).uniform(static_cast<std::uint64_t>(i), low, high);
  return t.to(dtype);
}

// Largest |a - b|; infinity for other shapes or a NaN.
inline double max_difference(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) return HUGE_VAL;
  const std::vector<double> x = a.to_vector(), y = b.to_vector();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(x[i] - y[i]);
    if (!(d <= worst)) worst = std::isnan(d) ? HUGE_VAL : d;
  }
  return worst;
}

// The message of the Error that f throws; empty if it throws none.
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// One declaration of an op: its function and inputs in float64. Checks the gradient against
// central differences, that float32 gives the same to rounding (result and gradients), and that
// two runs give the same bits.
struct OpCase {
  std::string name;
  std::function<Var(const Vars&)> f;
  std::vector<Tensor> inputs;  // float64; all differentiable
  double float_tolerance = 2e-5;
};

inline std::vector<Tensor> run_with_gradients(const OpCase& op, DType dtype) {
  Tape tape({.buffers = Buffers::keep});
  Vars vars;
  for (const Tensor& input : op.inputs) vars.push_back(tape.variable(input.to(dtype)));
  const Var y = op.f(vars);
  std::vector<Tensor> results = {y.value()};
  const Gradients gradients =
      tape.gradients(y, {}, {.cotangent = random(y.shape(), 99, 0.5, 1.5, dtype)});
  for (const Var& var : vars)
    if (const Tensor* gradient = gradients.find(var)) results.push_back(*gradient);
  return results;
}

// Result and gradients have the same bits on 1, 2, 3 and 7 threads; returns them.
inline std::vector<Tensor> check_same_on_any_threads(const OpCase& op) {
  CAPTURE(op.name);
  const int before = thread_count();
  set_thread_count(1);
  std::vector<Tensor> one = run_with_gradients(op, DType::float32);
  for (const int threads : {2, 3, 7}) {
    set_thread_count(threads);
    const std::vector<Tensor> many = run_with_gradients(op, DType::float32);
    CHECK(many.size() == one.size());
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], many[i]));
  }
  set_thread_count(before);
  return one;
}

inline void check(const OpCase& op) {
  CAPTURE(op.name);
  const GradcheckResult result = gradcheck(op.f, op.inputs);
  CHECK_MESSAGE(result.passed, result.message);
  const std::vector<Tensor> in_double = run_with_gradients(op, DType::float64);
  const std::vector<Tensor> in_float = run_with_gradients(op, DType::float32);
  const std::vector<Tensor> again = run_with_gradients(op, DType::float32);
  REQUIRE(in_double.size() == in_float.size());
  for (std::size_t i = 0; i < in_double.size(); ++i) {
    CHECK(in_float[i].dtype() == DType::float32);
    CHECK(max_difference(in_double[i], in_float[i]) < op.float_tolerance);
    CHECK(same_bits(in_float[i], again[i]));
  }
}

// The second derivatives against central differences of the first.
inline void check_twice(const OpCase& op) {
  const GradcheckResult twice = gradgradcheck(op.f, op.inputs);
  CHECK_MESSAGE(twice.passed, op.name, ": ", twice.message);
}

}  // namespace pliant::test
