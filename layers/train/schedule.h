// Learning rates as pure functions of the step t = 0, 1, .. (PyTorch's rules). Whether t counts
// batches or epochs is the caller's choice. Each comes in two forms: of a step and options, and of
// options alone, which gives a Schedule to be kept or chained. A step below 0 is an Error.
//
//   optimizer.set_lr(one_cycle_lr(step, {.max_lr = 0.01, .total_steps = steps}));
//
//   const Schedule lr = sequential_lr({{linear_warmup({.base_lr = 0.1, .warmup_steps = 500}), 500},
//                                      {cosine_annealing_lr({.base_lr = 0.1, .t_max = 9500})}});
//   optimizer.set_lr(lr(step));
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace pliant {

// The learning rate of step t.
using Schedule = std::function<double(std::int64_t)>;

// base_lr * gamma^floor(t / step_size); step_size at least 1.
struct StepLr {
  double base_lr = 0.1;
  std::int64_t step_size = 1;
  double gamma = 0.1;
};
double step_lr(std::int64_t step, const StepLr& options);
Schedule step_lr(const StepLr& options);

// base_lr * gamma^(how many milestones are <= t), in any order; one named twice counts twice.
struct MultiStepLr {
  double base_lr = 0.1;
  std::vector<std::int64_t> milestones = {};
  double gamma = 0.1;
};
double multi_step_lr(std::int64_t step, const MultiStepLr& options);
Schedule multi_step_lr(const MultiStepLr& options);

// base_lr * gamma^t.
struct ExponentialLr {
  double base_lr = 0.1;
  double gamma = 0.9;
};
double exponential_lr(std::int64_t step, const ExponentialLr& options);
Schedule exponential_lr(const ExponentialLr& options);

// base_lr * (f + (1 - f) * min(t, w) / w), f = start_factor, w = warmup_steps, at least 1; base_lr
// from t = w on.
struct LinearWarmup {
  double base_lr = 0.1;
  double start_factor = 0;
  std::int64_t warmup_steps = 1;
};
double linear_warmup(std::int64_t step, const LinearWarmup& options);
Schedule linear_warmup(const LinearWarmup& options);

// end_lr + (base_lr - end_lr) * (1 - min(t, n) / n)^power, n = total_steps, at least 1; power above 0.
struct PolynomialLr {
  double base_lr = 0.1;
  std::int64_t total_steps = 1;
  double power = 1;
  double end_lr = 0;
};
double polynomial_lr(std::int64_t step, const PolynomialLr& options);
Schedule polynomial_lr(const PolynomialLr& options);

// eta_min + (base_lr - eta_min) * (1 + cos(pi t / t_max)) / 2; beyond t_max it rises again.
struct CosineAnnealing {
  double base_lr = 0.1;
  std::int64_t t_max = 1;
  double eta_min = 0;
};
double cosine_annealing_lr(std::int64_t step, const CosineAnnealing& options);
Schedule cosine_annealing_lr(const CosineAnnealing& options);

enum class Anneal : unsigned char { cosine, linear };

// From max_lr / div_factor up to max_lr at t = pct_start * total_steps - 1, then down to the start
// divided by final_div_factor at t = total_steps - 1 (Smith and Topin 2018). In three phases it is
// back at the start at t = 2 * pct_start * total_steps - 2 and goes on down from there. Where
// pct_start * total_steps is at most 1 there is no way up, and so none back: it is max_lr at t = 0
// and goes down to the end. A step outside [0, total_steps) is an Error.
struct OneCycle {
  double max_lr = 0.1;
  std::int64_t total_steps = 1;
  double pct_start = 0.3;
  double div_factor = 25;
  double final_div_factor = 1e4;
  Anneal anneal = Anneal::cosine;
  bool three_phase = false;
};
double one_cycle_lr(std::int64_t step, const OneCycle& options);
Schedule one_cycle_lr(const OneCycle& options);

// The same at every step.
inline double constant_lr(std::int64_t /*step*/, double lr) { return lr; }
inline Schedule constant_lr(double lr) {
  return [lr](std::int64_t) { return lr; };
}

// One schedule after another: each sees its own steps from 0 and runs for `steps` of them, the last
// for ever whatever its `steps`. No stage, or one of fewer than 1 step, is an Error.
struct ScheduleStage {
  Schedule lr;
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();
};
Schedule sequential_lr(std::vector<ScheduleStage> stages);

// The product of all at the same step: one of them with the learning rate itself, the others with
// base_lr = 1, say a warm-up. (torch's ChainedScheduler)
Schedule product_lr(std::vector<Schedule> factors);

}  // namespace pliant
