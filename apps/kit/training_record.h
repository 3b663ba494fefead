// What a training tells of itself while it runs: its curve, the progress line, its checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>

namespace pliant::kit {

// How long a training is.
struct TrainingSpan {
  std::int64_t epochs = 1;
  double cost = 1;  // progress of one image
  // If given, after every epoch: so many are done. Gives EpochPoint::measured.
  std::function<double(std::int64_t epochs)> measure = {};
};

// Steps that were taken: how many, over how many images, and what they gave in all.
struct StepTotals {
  std::int64_t count = 0, images = 0, right = 0;
  double loss_sum = 0;
  double lr = 0;  // of the last
};

class TrainingRecord {
 public:
  TrainingRecord(TrainingSpan span, std::int64_t steps_per_epoch, Progress& progress,
                 Checkpoint* checkpoint);

  // Goes on from the checkpoint, if there is one.
  void resume(const TrainingParts& parts);

  std::int64_t step() const { return state_.step; }  // steps done
  std::int64_t total_steps() const { return total_steps_; }
  // Steps until the curve has its next point or the epoch ends, at least 1.
  std::int64_t steps_to_report() const;

  void add(const StepTotals& steps);
  // Tells of what was added; at the end of an epoch measures the net. Saves by time, at the end of
  // every epoch but the last, after which the net itself is written, and before it throws
  // Interrupted. What cannot be saved is told, and tried again the next time.
  void report(const TrainingParts& parts, double wait_seconds);
  bool should_report() const;  // because a checkpoint is due or a signal came

  Training take() { return std::move(state_.training); }

 private:
  using Clock = std::chrono::steady_clock;
  void end_point(double lr);
  void keep(const TrainingParts& parts, bool epoch_ended);
  bool save(const TrainingParts& parts);
  std::string describe() const;

  TrainingSpan span_;
  std::int64_t steps_per_epoch_, total_steps_, per_point_;
  Progress& progress_;
  Checkpoint* checkpoint_;
  TrainingState state_;
  Training before_;            // what earlier processes did
  std::int64_t reported_ = 0;  // images
  Clock::time_point start_ = Clock::now();
};

}  // namespace pliant::kit
