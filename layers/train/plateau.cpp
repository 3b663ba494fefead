#include <pliant/layers/train/plateau.h>

#include <algorithm>
#include <cmath>

#include <pliant/core/error.h>

namespace pliant {
namespace {

const std::string kLr = "plateau/lr", kBest = "plateau/best", kWorse = "plateau/worse",
                  kCooling = "plateau/cooling";

double number(const std::map<std::string, double>& numbers, const std::string& name) {
  const auto found = numbers.find(name);
  require(found != numbers.end(), "ReduceOnPlateau: there is no number '", name, "'");
  return found->second;
}

std::int64_t count(const std::map<std::string, double>& numbers, const std::string& name) {
  const double value = number(numbers, name);
  require(value >= 0 && value <= 0x1p53 && value == std::floor(value), "ReduceOnPlateau: ", name,
          " is ", value, ", expected a whole number from 0 to 2^53");
  return static_cast<std::int64_t>(value);
}

}  // namespace

ReduceOnPlateau::ReduceOnPlateau(const PlateauOptions& options)
    : options_(options),
      lr_(options.base_lr),
      best_(options.larger_is_better ? -HUGE_VAL : HUGE_VAL) {
  require(options.base_lr >= 0 && std::isfinite(options.base_lr), "ReduceOnPlateau: base_lr is ",
          options.base_lr, ", not a number >= 0");
  require(options.factor > 0 && options.factor < 1, "ReduceOnPlateau: factor is ", options.factor,
          ", not in (0, 1)");
  require(options.patience >= 0 && options.cooldown >= 0, "ReduceOnPlateau: patience is ",
          options.patience, " and cooldown ", options.cooldown, ", expected none negative");
  require(options.threshold >= 0 && options.min_lr >= 0, "ReduceOnPlateau: threshold is ",
          options.threshold, " and min_lr ", options.min_lr, ", expected none negative");
  require(options.absolute_threshold || options.threshold < 1, "ReduceOnPlateau: threshold is ",
          options.threshold, ", expected below 1 where it is relative");
}

bool ReduceOnPlateau::is_better(double measured) const {
  const double sign = options_.larger_is_better ? 1 : -1, step = sign * options_.threshold;
  const double bound = options_.absolute_threshold ? best_ + step : best_ * (1 + step);
  return options_.larger_is_better ? measured > bound : measured < bound;
}

double ReduceOnPlateau::step(double measured) {
  const bool better = is_better(measured);
  if (better) best_ = measured;
  worse_ = better || cooling_ > 0 ? 0 : worse_ + 1;
  if (cooling_ > 0) --cooling_;
  if (worse_ > options_.patience) {
    const double lower = std::max(lr_ * options_.factor, options_.min_lr);
    if (lr_ - lower > options_.smallest_change) lr_ = lower;
    cooling_ = options_.cooldown;
    worse_ = 0;
  }
  return lr_;
}

std::map<std::string, double> ReduceOnPlateau::numbers() const {
  return {{kLr, lr_},
          {kBest, best_},
          {kWorse, static_cast<double>(worse_)},
          {kCooling, static_cast<double>(cooling_)}};
}

void ReduceOnPlateau::load(const std::map<std::string, double>& numbers) {
  const double lr = number(numbers, kLr), best = number(numbers, kBest);
  const std::int64_t worse = count(numbers, kWorse), cooling = count(numbers, kCooling);
  require(lr >= 0 && std::isfinite(lr), "ReduceOnPlateau: ", kLr, " is ", lr,
          ", not a number >= 0");
  lr_ = lr;
  best_ = best;
  worse_ = worse;
  cooling_ = cooling;
}

}  // namespace pliant
