// What the operator fuzzer compares with: values worked out in float64 by the plainest loops, each
// with the size of the terms it was added up from.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include <pliant/autograd/tape.h>
#include <pliant/tests/fuzz/expect.h>
#include <pliant/tests/fuzz/input.h>

namespace pliant::fuzz {

// A sum, and the sum of its terms' sizes, by which rounding is judged.
struct Sum {
  double value = 0, size = 0;
  Sum() = default;
  Sum(double exact) : value(exact), size(std::abs(exact)) {}  // NOLINT(google-explicit-constructor)
  void add(double term) {
    value += term;
    size += std::abs(term);
  }
  void add(const Sum& term, double factor = 1) {
    value += term.value * factor;
    size += term.size * std::abs(factor);
  }
};

// A tensor's elements, to be read by indices.
struct Array {
  Shape shape;
  std::vector<double> values;

  Array() = default;
  explicit Array(const Tensor& tensor) : shape(tensor.shape()), values(tensor.to_vector()) {}
  template <class... Index>
  double operator()(Index... index) const {
    const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
    std::int64_t flat = 0;
    for (int axis = 0; axis < static_cast<int>(sizeof...(index)); ++axis)
      flat = flat * shape[axis] + at[axis];
    return values[static_cast<std::size_t>(flat)];
  }
};

struct Expected {
  Shape shape;
  std::vector<Sum> values;  // row-major
  double tolerance = 1;     // times what a few roundings explain
};

// Calls f(i, j, ...) for all indices of a shape, outermost first.
inline void each_index(const Shape& shape, const std::function<void(const std::int64_t*)>& f) {
  std::int64_t at[Shape::kMaxRank] = {};
  for (std::int64_t left = shape.size(); left > 0; --left) {
    f(at);
    for (int axis = shape.rank() - 1; axis >= 0 && ++at[axis] == shape[axis]; --axis) at[axis] = 0;
  }
}

// A result in `shape`, element by element.
inline Expected expected(const Shape& shape, const std::function<Sum(const std::int64_t*)>& f) {
  Expected all{shape, {}};
  each_index(shape, [&](const std::int64_t* at) { all.values.push_back(f(at)); });
  return all;
}

// Where the exact result is a number, the op's is that number to rounding; where it is NaN, so is
// the op's. What overflows on the way may be anything that is not finite.
inline void compare(const char* op, const Tensor& got, const Expected& want) {
  expect(got.shape() == want.shape, op, ": gives ", got.shape(), ", expected ", want.shape);
  const bool single = got.dtype() == DType::float32;
  const double most = single ? 1e37 : 1e307, rounding = (single ? 2e-5 : 1e-10) * want.tolerance;
  const double least = single ? 1e-37 : 1e-300;
  const std::vector<double> values = got.to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i], exact = want.values[i].value, size = want.values[i].size;
    if (std::isnan(exact)) {
      expect(!std::isfinite(value), op, ": element ", i, " is ", value, ", expected NaN");
    } else if (std::isinf(exact)) {
      expect(!std::isfinite(value), op, ": element ", i, " is ", value, ", expected ", exact);
    } else if (size < most) {
      expect(std::abs(value - exact) <= rounding * size + least, op, ": element ", i, " of ",
             got.shape(), " is ", value, ", expected ", exact);
    }
  }
}

// Runs an op on a tape with all its inputs as variables: an Error, or what `reference` gives; and
// its gradients come through with their inputs' shapes.
inline void judge(const char* op, const std::vector<Tensor>& inputs,
                  const std::function<Var(const Vars&)>& f,
                  const std::function<Expected()>& reference) {
  const Tape tape({.rng = Rng(3)});
  Vars vars;
  for (const Tensor& input : inputs)
    vars.push_back(input.defined() && is_floating(input.dtype()) ? tape.variable(input)
                                                                 : Var(input));
  Var y;
  if (!comes_through([&] { y = f(vars); })) return;
  compare(op, y.value(), reference());
  if (!y.wants_gradient()) return;
  comes_through([&] {
    const Gradients gradients =
        tape.gradients(y, {}, {.cotangent = Tensor::full(y.shape(), 0.5, y.dtype())});
    for (std::size_t i = 0; i < vars.size(); ++i)
      if (vars[i].wants_gradient())
        if (const Tensor* const gradient = gradients.find(vars[i]))
          expect(gradient->shape() == inputs[i].shape(), op, ": the gradient of ",
                 inputs[i].shape(), " is ", gradient->shape());
  });
}

using Operator = void (*)(Input&);
struct NamedOperator {
  const char* name;
  Operator run;
};
// The families, each in a file of its own.
std::vector<NamedOperator> elementwise_operators();
std::vector<NamedOperator> shape_operators();
std::vector<NamedOperator> reduction_operators();
std::vector<NamedOperator> product_operators();
std::vector<NamedOperator> convolution_operators();
std::vector<NamedOperator> sampling_operators();
std::vector<NamedOperator> region_operators();
std::vector<NamedOperator> map_operators();

}  // namespace pliant::fuzz
