#include <pliant/layers/train/schedule.h>

#include <cmath>
#include <numbers>

#include <pliant/core/error.h>

namespace pliant {
namespace {

// From `start` at fraction 0 to `end` at fraction 1.
double between(double start, double end, double fraction, Anneal anneal) {
  if (anneal == Anneal::linear) return start + (end - start) * fraction;
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

double cosine_annealing_lr(std::int64_t step, const CosineAnnealing& options) {
  require(options.t_max >= 1, "cosine_annealing_lr: t_max is ", options.t_max, ", at least 1");
  return between(options.base_lr, options.eta_min,
                 static_cast<double>(step) / static_cast<double>(options.t_max), Anneal::cosine);
}

double one_cycle_lr(std::int64_t step, const OneCycle& options) {
  require(step >= 0 && step < options.total_steps, "one_cycle_lr: step ", step, " is not in [0, ",
          options.total_steps, ")");
  require(options.pct_start >= 0 && options.pct_start <= 1, "one_cycle_lr: pct_start is ",
          options.pct_start, ", not in [0, 1]");
  const auto t = static_cast<double>(step), total = static_cast<double>(options.total_steps);
  const double start = options.max_lr / options.div_factor;
  const double top = options.pct_start * total - 1, last = total - 1;
  if (t <= top && top > 0) return between(start, options.max_lr, t / top, options.anneal);
  if (last <= top) return options.max_lr;  // one step, or no way down
  return between(options.max_lr, start / options.final_div_factor, (t - top) / (last - top),
                 options.anneal);
}

}  // namespace pliant
