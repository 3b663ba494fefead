// TimedSteps: how long the steps of a training take, without what they wait for batches.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include <pliant/apps/kit/training_steps.h>

namespace pliant::kit {

class TimedSteps : public TrainingSteps {
 public:
  explicit TimedSteps(TrainingSteps& steps) : steps_(steps) {}

  std::int64_t per_epoch() const override { return steps_.per_epoch(); }
  void start(std::int64_t done) override { steps_.start(done); }
  double wait_seconds() const override { return steps_.wait_seconds(); }

  StepTotals take(std::int64_t most, const std::function<bool()>& enough) override {
    const auto start = Clock::now();
    const double waited = steps_.wait_seconds();
    const StepTotals totals = steps_.take(most, enough);
    const double taken = std::chrono::duration<double>(Clock::now() - start).count();
    seconds_.push_back((taken - (steps_.wait_seconds() - waited)) /
                       static_cast<double>(totals.count));
    return totals;
  }

  // Of the steps of this process; 0 of none.
  double median() {
    if (seconds_.empty()) return 0;
    const auto middle = seconds_.begin() + static_cast<std::ptrdiff_t>(seconds_.size() / 2);
    std::nth_element(seconds_.begin(), middle, seconds_.end());
    return *middle;
  }

 private:
  using Clock = std::chrono::steady_clock;
  TrainingSteps& steps_;
  std::vector<double> seconds_;
};

struct Trained {
  Training training;
  double step_seconds = 0;  // the median of those of this process, batches being there
};

// As train(), by the clock.
inline Trained train_timed(TrainingSteps& steps, const TrainingParts& parts,
                           const TrainingSpan& span, Progress& progress, Checkpoint* checkpoint) {
  TimedSteps timed(steps);
  Trained trained{.training = train(timed, parts, span, progress, checkpoint)};
  trained.step_seconds = timed.median();
  return trained;
}

}  // namespace pliant::kit
