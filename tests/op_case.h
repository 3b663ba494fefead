// What every test of an op shares: random tensors, comparison, gradcheck, the message of an Error.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
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

// Offsets up to a few pixels, some of them whole; sampling points fall outside the map too.
inline Tensor offsets(const Shape& shape, std::uint64_t seed) {
  Tensor t = random(shape, seed, -3.0, 3.0);
  double* const to = t.mutable_data<double>();
  for (std::int64_t i = 0; i < t.size(); i += 3) to[i] = std::round(to[i]);
  return t;
}

// A constant as the op's inputs are: same device, and same dtype but for integers.
inline Tensor beside(const Var& x, const Tensor& constant) {
  return (constant.dtype() == DType::int64 ? constant : constant.to(x.dtype())).to(x.device());
}

// Largest deviation of b from a, relative to a's largest element where that is above 1.
inline double deviation(const Tensor& a, const Tensor& b) {
  double largest = 1;
  for (const double value : a.to_vector()) largest = std::max(largest, std::abs(value));
  return max_difference(a, b) / largest;
}

// What a gradient is held against: differences in float64 and other runs; other runs alone, where
// inputs lie at kinks or are too many for differences; there is none.
enum class GradientCheck : unsigned char { differences, runs, none };

// One declaration of an op: its function and inputs in float64. tests/cases has every op's, which
// `check` holds against themselves and cuda_test.cpp the GPU's results against the CPU's.
struct OpCase {
  std::string name;
  std::function<Var(const Vars&)> f;
  std::vector<Tensor> inputs;  // float64; all differentiable
  double float_tolerance = 2e-5;
  GradientCheck gradient = GradientCheck::differences;
};

using OpCases = std::vector<OpCase>;

inline OpCases without_differences(OpCases cases, double float_tolerance = 2e-3) {
  for (OpCase& c : cases) {
    c.gradient = GradientCheck::runs;
    c.float_tolerance = float_tolerance;
  }
  return cases;
}

inline OpCases without_gradient(OpCases cases) {
  for (OpCase& c : cases) c.gradient = GradientCheck::none;
  return cases;
}

inline OpCases joined(std::initializer_list<OpCases> lists) {
  OpCases all;
  for (const OpCases& some : lists) all.insert(all.end(), some.begin(), some.end());
  return all;
}

// The result and the gradients by all inputs, computed on `device`, brought to the CPU.
inline std::vector<Tensor> run(const OpCase& op, DType dtype, Device device = {}) {
  Tape tape({.buffers = Buffers::keep});
  const bool differentiable = op.gradient != GradientCheck::none;
  Vars vars;
  for (const Tensor& input : op.inputs) {
    const Tensor there = input.to(dtype).to(device);
    vars.push_back(differentiable ? tape.variable(there) : Var(there));
  }
  const Var y = op.f(vars);
  CHECK(y.device() == device);
  std::vector<Tensor> results = {y.value().to(Device::cpu())};
  if (!differentiable) return results;
  const Tensor cotangent = random(y.shape(), 99, 0.5, 1.5, y.dtype()).to(device);
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = cotangent});
  for (const Var& var : vars)
    if (const Tensor* gradient = gradients.find(var))
      results.push_back(gradient->to(Device::cpu()));
  return results;
}

// Result and gradients have the same bits on 1, 2, 3 and 7 threads; returns them.
inline std::vector<Tensor> check_same_on_any_threads(const OpCase& op) {
  CAPTURE(op.name);
  const int before = thread_count();
  set_thread_count(1);
  std::vector<Tensor> one = run(op, DType::float32);
  for (const int threads : {2, 3, 7}) {
    set_thread_count(threads);
    const std::vector<Tensor> many = run(op, DType::float32);
    CHECK(many.size() == one.size());
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], many[i]));
  }
  set_thread_count(before);
  return one;
}

// Checks the gradient against central differences, that float32 gives the same to rounding (result
// and gradients), and that two runs give the same bits, on any number of threads.
inline void check(const OpCase& op) {
  CAPTURE(op.name);
  if (op.gradient == GradientCheck::differences) {
    const GradcheckResult result = gradcheck(op.f, op.inputs);
    CHECK_MESSAGE(result.passed, result.message);
  }
  const std::vector<Tensor> in_float = check_same_on_any_threads(op);
  if (op.gradient == GradientCheck::none) return;
  const std::vector<Tensor> in_double = run(op, DType::float64);
  const std::vector<Tensor> again = run(op, DType::float32);
  REQUIRE(in_double.size() == in_float.size());
  for (std::size_t i = 0; i < in_double.size(); ++i) {
    CHECK(in_float[i].dtype() == DType::float32);
    const double far = op.gradient == GradientCheck::differences
                           ? max_difference(in_double[i], in_float[i])
                           : deviation(in_double[i], in_float[i]);
    CHECK(far < op.float_tolerance);
    CHECK(same_bits(in_float[i], again[i]));
  }
}

inline void check(const OpCases& cases) {
  for (const OpCase& op : cases) check(op);
}

// The second derivatives against central differences of the first.
inline void check_twice(const OpCase& op) {
  const GradcheckResult twice = gradgradcheck(op.f, op.inputs);
  CHECK_MESSAGE(twice.passed, op.name, ": ", twice.message);
}

inline void check_twice(const OpCases& cases) {
  for (const OpCase& op : cases)
    if (op.gradient == GradientCheck::differences) check_twice(op);
}

}  // namespace pliant::test
