// Learning rates as pure functions of the step t = 0, 1, .. (PyTorch's rules).
//
//   optimizer.set_lr(one_cycle_lr(step, {.max_lr = 0.01, .total_steps = steps}));
#pragma once

#include <cstdint>

namespace pliant {

// eta_min + (base_lr - eta_min) * (1 + cos(pi t / t_max)) / 2; beyond t_max it rises again.
struct CosineAnnealing {
  double base_lr = 0.1;
  std::int64_t t_max = 1;
  double eta_min = 0;
};
double cosine_annealing_lr(std::int64_t step, const CosineAnnealing& options);

enum class Anneal : unsigned char { cosine, linear };

// From max_lr / div_factor up to max_lr at t = pct_start * total_steps - 1, then down to the start
// divided by final_div_factor at t = total_steps - 1 (Smith and Topin 2018). A step outside
// [0, total_steps) is an Error.
struct OneCycle {
  double max_lr = 0.1;
  std::int64_t total_steps = 1;
  double pct_start = 0.3;
  double div_factor = 25;
  double final_div_factor = 1e4;
  Anneal anneal = Anneal::cosine;
};
double one_cycle_lr(std::int64_t step, const OneCycle& options);

// The same at every step.
inline double constant_lr(std::int64_t /*step*/, double lr) { return lr; }

}  // namespace pliant
