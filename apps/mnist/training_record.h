// What a training tells of itself while it runs: its curve, the progress line, its checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <pliant/apps/mnist/training.h>

namespace pliant {

class TrainingRecord {
 public:
  // `cost` is the progress of one image.
  TrainingRecord(const TrainingPlan& plan, std::int64_t steps_per_epoch, double cost,
                 Progress& progress, Checkpoint* checkpoint);

  // Goes on from the checkpoint, if there is one.
  void resume(Classifier& net, Optimizer& optimizer);

  std::int64_t step() const { return state_.step; }  // steps done
  std::int64_t total_steps() const { return total_steps_; }
  // Steps until the curve has its next point, at least 1.
  std::int64_t steps_to_point() const;

  // Steps that were taken: how many, over how many images, and what they gave in all. `lr` is that
  // of the last.
  struct Steps {
    std::int64_t count, images, right;
    double loss_sum, lr;
  };
  void add(const Steps& steps);
  // Tells of what was added; at the end of an epoch measures the net. Saves by time, at the end of
  // every epoch but the last, after which the net itself is written, and before it throws
  // Interrupted. What cannot be saved is told, and tried again the next time.
  void report(const Classifier& net, const Optimizer& optimizer, double wait_seconds);
  bool should_report() const;  // because a checkpoint is due or a signal came

  Training take() { return std::move(state_.training); }

 private:
  using Clock = std::chrono::steady_clock;
  void end_point(double lr);
  void keep(const Classifier& net, const Optimizer& optimizer, bool epoch_ended);
  bool save(const Classifier& net, const Optimizer& optimizer);
  std::string describe() const;

  const TrainingPlan& plan_;
  std::int64_t steps_per_epoch_, total_steps_, per_point_;
  double cost_;
  Progress& progress_;
  Checkpoint* checkpoint_;
  TrainingState state_;
  Training before_;            // what earlier processes did
  std::int64_t reported_ = 0;  // images
  Clock::time_point start_ = Clock::now();
};

}  // namespace pliant
