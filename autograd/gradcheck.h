// gradcheck: a function's gradients, first and second, against central differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

struct GradcheckOptions {
  double step = 1e-6;
  double rtol = 1e-5;
  double atol = 1e-7;
  Mode mode = Mode::training;  // how layers inside the function behave
  Rng rng = Rng(0);            // of random layers, and of the direction in which outputs are summed
};

struct GradcheckResult {
  bool passed = false;
  double worst = 0;     // largest |analytic - numeric| / (atol + rtol |numeric|)
  std::string message;  // the worst element, or why the check could not be made
  explicit operator bool() const { return passed; }
};

// Checks the gradient of sum(r * f(inputs)), with r random and fixed, by every element of every
// input and of every parameter given. float64 alone; f may be called often and must be a function
// of its arguments. No buffer moves; parameters are back at their values at the end, also if f
// throws.
GradcheckResult gradcheck(const std::function<Var(const Vars&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {},
                          const std::vector<Parameter>& parameters = {});

// The same for the second derivatives that create_graph gives: of G = sum(d * gradients of
// sum(r * f(inputs))), d random and fixed, by every element of every input, of r and of every
// parameter, against differences of the first gradients as they are without create_graph. Those and
// the first gradients with create_graph must agree as well.
GradcheckResult gradgradcheck(const std::function<Var(const Vars&)>& f,
                              const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {},
                              const std::vector<Parameter>& parameters = {});

}  // namespace pliant
