// ReduceOnPlateau: a learning rate that falls where a measurement no longer gets better.
//
//   ReduceOnPlateau plateau({.base_lr = 0.1, .patience = 5});
//   for (..) { ..; optimizer.set_lr(plateau.step(validation_loss)); }  // once an epoch, say
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace pliant {

// A value is better than the best so far, b, if it is below b * (1 - threshold), or below b -
// threshold if that is absolute; for what is to be as large as can be, above b * (1 + threshold) or
// b + threshold. After more than `patience` values in a row that were no better the rate is
// multiplied by `factor`, but does not fall below min_lr; then `cooldown` values are not counted.
// NaN is never better. (torch's ReduceLROnPlateau)
struct PlateauOptions {
  double base_lr = 0.1;  // to begin with
  double factor = 0.1;   // in (0, 1)
  std::int64_t patience = 10;
  double threshold = 1e-4;  // not negative
  bool absolute_threshold = false;
  bool larger_is_better = false;
  std::int64_t cooldown = 0;
  double min_lr = 0;
  double smallest_change = 1e-8;  // a rate that would fall by less stays
};

class ReduceOnPlateau {
 public:
  explicit ReduceOnPlateau(const PlateauOptions& options);

  // The rate after one more measurement.
  double step(double measured);
  double lr() const { return lr_; }
  double best() const { return best_; }  // infinite before the first

  // What it remembers, for TrainingPosition::numbers, and back: "plateau/lr", "plateau/best", ..
  // One that is missing is an Error; others there are not looked at.
  std::map<std::string, double> numbers() const;
  void load(const std::map<std::string, double>& numbers);

 private:
  bool is_better(double measured) const;

  PlateauOptions options_;
  double lr_, best_;
  std::int64_t worse_ = 0;    // values in a row that were no better
  std::int64_t cooling_ = 0;  // values yet that are not counted
};

}  // namespace pliant
