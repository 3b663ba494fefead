#include <pliant/layers/train/schedule.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <pliant/core/error.h>

namespace pliant {
namespace {

// From `start` at fraction 0 to `end` at fraction 1, both exactly.
double between(double start, double end, double fraction, Anneal anneal) {
  const double left =
      anneal == Anneal::linear ? 1 - fraction : (1 + std::cos(std::numbers::pi * fraction)) / 2;
  return start * left + end * (1 - left);
}

// A product that is a whole number but for rounding, as that number.
double without_rounding(double product) {
  const double whole = std::round(product);
  return std::abs(product - whole) < 1e-12 * (1 + product) ? whole : product;
}

void require_step(const char* name, std::int64_t step) {
  require(step >= 0, name, ": step ", step, " is below 0");
}

double power(double base, std::int64_t exponent) {
  return std::pow(base, static_cast<double>(exponent));
}

void check(const StepLr& options) {
  require(options.step_size >= 1, "step_lr: step_size is ", options.step_size, ", at least 1");
}

void check(const LinearWarmup& options) {
  require(options.warmup_steps >= 1, "linear_warmup: warmup_steps is ", options.warmup_steps,
          ", at least 1");
}

void check(const CosineAnnealing& options) {
  require(options.t_max >= 1, "cosine_annealing_lr: t_max is ", options.t_max, ", at least 1");
}

void check(const PolynomialLr& options) {
  require(options.total_steps >= 1, "polynomial_lr: total_steps is ", options.total_steps,
          ", at least 1");
  require(options.power > 0, "polynomial_lr: power is ", options.power, ", expected above 0");
}

void check(const CosineWarmRestarts& options) {
  require(options.period >= 1 && options.period_factor >= 1, "cosine_warm_restarts_lr: period is ",
          options.period, " and period_factor ", options.period_factor, ", both at least 1");
}

void check(const OneCycle& options) {
  require(options.total_steps >= 1, "one_cycle_lr: total_steps is ", options.total_steps,
          ", expected at least 1");
  require(options.pct_start >= 0 && options.pct_start <= 1, "one_cycle_lr: pct_start is ",
          options.pct_start, ", not in [0, 1]");
  require(options.div_factor > 0, "one_cycle_lr: div_factor is ", options.div_factor,
          ", expected above 0");
  require(options.final_div_factor > 0, "one_cycle_lr: final_div_factor is ",
          options.final_div_factor, ", expected above 0");
}

}  // namespace

double step_lr(std::int64_t step, const StepLr& options) {
  require_step("step_lr", step);
  check(options);
  return options.base_lr * power(options.gamma, step / options.step_size);
}

Schedule step_lr(const StepLr& options) {
  check(options);
  return [options](std::int64_t step) { return step_lr(step, options); };
}

double multi_step_lr(std::int64_t step, const MultiStepLr& options) {
  require_step("multi_step_lr", step);
  const auto passed = std::count_if(options.milestones.begin(), options.milestones.end(),
                                    [=](std::int64_t milestone) { return milestone <= step; });
  return options.base_lr * power(options.gamma, passed);
}

Schedule multi_step_lr(const MultiStepLr& options) {
  return [options](std::int64_t step) { return multi_step_lr(step, options); };
}

double exponential_lr(std::int64_t step, const ExponentialLr& options) {
  require_step("exponential_lr", step);
  return options.base_lr * power(options.gamma, step);
}

Schedule exponential_lr(const ExponentialLr& options) {
  return [options](std::int64_t step) { return exponential_lr(step, options); };
}

double linear_warmup(std::int64_t step, const LinearWarmup& options) {
  require_step("linear_warmup", step);
  check(options);
  const double done = static_cast<double>(std::min(step, options.warmup_steps)) /
                      static_cast<double>(options.warmup_steps);
  return options.base_lr * between(options.start_factor, options.end_factor, done, Anneal::linear);
}

Schedule linear_warmup(const LinearWarmup& options) {
  check(options);
  return [options](std::int64_t step) { return linear_warmup(step, options); };
}

double polynomial_lr(std::int64_t step, const PolynomialLr& options) {
  require_step("polynomial_lr", step);
  check(options);
  const double left = 1 - static_cast<double>(std::min(step, options.total_steps)) /
                              static_cast<double>(options.total_steps);
  const double share = std::pow(left, options.power);
  return options.base_lr * share + options.end_lr * (1 - share);
}

Schedule polynomial_lr(const PolynomialLr& options) {
  check(options);
  return [options](std::int64_t step) { return polynomial_lr(step, options); };
}

double cosine_annealing_lr(std::int64_t step, const CosineAnnealing& options) {
  require_step("cosine_annealing_lr", step);
  check(options);
  // It comes again after 2 t_max, which a large step's cosine would have lost.
  if (!options.rises_again)
    step = std::min(step, options.t_max);
  else if (options.t_max <= std::numeric_limits<std::int64_t>::max() / 2)
    step %= 2 * options.t_max;
  return between(options.base_lr, options.eta_min,
                 static_cast<double>(step) / static_cast<double>(options.t_max), Anneal::cosine);
}

Schedule cosine_annealing_lr(const CosineAnnealing& options) {
  check(options);
  return [options](std::int64_t step) { return cosine_annealing_lr(step, options); };
}

double cosine_warm_restarts_lr(std::int64_t step, const CosineWarmRestarts& options) {
  require_step("cosine_warm_restarts_lr", step);
  check(options);
  std::int64_t period = options.period;
  if (options.period_factor == 1) step %= period;
  while (step >= period) {
    step -= period;
    if (__builtin_mul_overflow(period, options.period_factor, &period))
      period = std::numeric_limits<std::int64_t>::max();
  }
  return between(options.base_lr, options.eta_min,
                 static_cast<double>(step) / static_cast<double>(period), Anneal::cosine);
}

Schedule cosine_warm_restarts_lr(const CosineWarmRestarts& options) {
  check(options);
  return [options](std::int64_t step) { return cosine_warm_restarts_lr(step, options); };
}

double one_cycle_lr(std::int64_t step, const OneCycle& options) {
  require(step >= 0 && step < options.total_steps, "one_cycle_lr: step ", step, " is not in [0, ",
          options.total_steps, ")");
  check(options);
  const auto t = static_cast<double>(step), total = static_cast<double>(options.total_steps);
  const double start = options.max_lr / options.div_factor, end = start / options.final_div_factor;
  const double steps_up = without_rounding(options.pct_start * total), last = total - 1;
  const double top = std::max(steps_up - 1, 0.0);
  if (t < top) return between(start, options.max_lr, t / top, options.anneal);
  if (last <= top) return options.max_lr;  // one step, or no way down
  if (!options.three_phase || top == 0)
    return between(options.max_lr, end, (t - top) / (last - top), options.anneal);
  const double back = 2 * top;  // at the start again
  if (t < back) return between(options.max_lr, start, (t - top) / (back - top), options.anneal);
  if (last <= back) return start;
  return between(start, end, (t - back) / (last - back), options.anneal);
}

Schedule one_cycle_lr(const OneCycle& options) {
  check(options);
  return [options](std::int64_t step) { return one_cycle_lr(step, options); };
}

Schedule sequential_lr(std::vector<ScheduleStage> stages) {
  require(!stages.empty(), "sequential_lr: no stage is given");
  for (std::size_t i = 0; i < stages.size(); ++i) {
    require(stages[i].lr != nullptr, "sequential_lr: the schedule of stage ", i, " is empty");
    require(stages[i].steps >= 1, "sequential_lr: stage ", i, " has ", stages[i].steps,
            " steps, expected at least 1");
  }
  return [stages = std::move(stages)](std::int64_t step) {
    require_step("sequential_lr", step);
    std::size_t i = 0;
    for (; i + 1 < stages.size() && step >= stages[i].steps; ++i) step -= stages[i].steps;
    return stages[i].lr(step);
  };
}

Schedule product_lr(std::vector<Schedule> factors) {
  require(!factors.empty(), "product_lr: no schedule is given");
  for (std::size_t i = 0; i < factors.size(); ++i)
    require(factors[i] != nullptr, "product_lr: schedule ", i, " is empty");
  return [factors = std::move(factors)](std::int64_t step) {
    double lr = 1;
    for (const Schedule& factor : factors) lr *= factor(step);
    return lr;
  };
}

}  // namespace pliant
