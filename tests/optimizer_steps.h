// Steps of optimizers by gradients that a test gives.
#pragma once

#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// Gradients of which each by a parameter is the tensor beside it.
inline Gradients gradients_of(const std::vector<std::pair<Parameter, Tensor>>& wanted) {
  const Tape tape;
  Var loss;
  for (const auto& [parameter, gradient] : wanted) {
    const Var term = sum(tape(parameter) * gradient);
    loss = loss.defined() ? loss + term : term;
  }
  return tape.gradients(loss);
}

inline void step(Optimizer& optimizer, const std::vector<std::pair<Parameter, Tensor>>& wanted) {
  optimizer.step(gradients_of(wanted));
}

inline Tensor one(double value) { return Tensor::full({1}, value, DType::float64); }

inline Parameter scalar_parameter(const char* name, double value) {
  return Parameter(one(value), name);
}

// What f tells on standard error, and the Error that it throws.
inline std::string told(const std::function<void()>& f) {
  std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  const std::string message = error_of(f);
  std::cerr.rdbuf(before);
  return text.str() + message;
}

// The gradient of step t, the same for every optimizer.
inline Tensor gradient_at(int t, const Shape& shape) {
  return random(shape, 100 + static_cast<std::uint64_t>(t), -2, 2);
}

// Holds an optimizer of one parameter [5] against `reference`, which moves one element by its
// gradient in step t = 1, 2, .., and keeps what it remembers of elements for itself.
template <class MakeOptimizer, class Reference>
void check_steps(int steps, MakeOptimizer make, Reference reference) {
  const Shape shape{5};
  for (const DType dtype : {DType::float64, DType::float32}) {
    CAPTURE(dtype);
    const Tensor start = random(shape, 1);
    const Parameter p(start.to(dtype).clone(), "p");
    auto optimizer = make(p);
    std::vector<double> want = start.to_vector();
    std::vector<Reference> elements(want.size(), reference);
    for (int t = 1; t <= steps; ++t) {
      const Tensor gradient = gradient_at(t, shape);
      step(*optimizer, {{p, gradient.to(dtype)}});
      for (std::size_t i = 0; i < want.size(); ++i)
        elements[i](t, gradient.to_vector()[i], want[i]);
    }
    CHECK(max_difference(p.value(), Tensor::from(want, shape)) <
          (dtype == DType::float64 ? 1e-12 : 2e-5));
  }
}

}  // namespace pliant::test
