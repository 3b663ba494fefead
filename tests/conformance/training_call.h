// How cases of optimizers and schedules are run.
#pragma once

#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

// param after one step per row of grads [steps ...]: the loss sum(param * row) has that gradient.
template <class Optimizer, class Options>
void run_optimizer(Call& call, const Options& options) {
  const Parameter parameter(call.constant("param").clone(), "param");
  const Tensor rows = call.constant("grads");
  Optimizer optimizer({parameter}, options);
  for (std::int64_t step = 0; step < rows.dim(0); ++step) {
    const Tensor row = rows.slice(step, step + 1).reshape(parameter.shape());
    const Tape tape;
    optimizer.step(tape.gradients(sum(mul(tape(parameter), row))));
  }
  call.output("param", parameter.value());
}

inline void output_rates(Call& call, const std::vector<double>& rates) {
  const auto steps = static_cast<std::int64_t>(rates.size());
  call.output("lr", Tensor::from(rates, {steps}).to(call.dtype()).to(call.device()));
}

inline void run_schedule(Call& call, const Schedule& lr) {
  std::vector<double> rates;
  const std::int64_t steps = call.integer("steps");
  for (std::int64_t step = 0; step < steps; ++step) rates.push_back(lr(step));
  output_rates(call, rates);
}

}  // namespace pliant::conformance
