// What a training tells of itself while it runs: its curve, the progress line, its checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/layers/train/group.h>

namespace pliant::kit {

// How long a training is.
struct TrainingSpan {
  std::int64_t epochs = 1;
  // The leading rank measures, and it alone is to listen; a signal to one rank is one to all.
  Group group = {};
  double cost = 1;  // progress of one image
  // If given, after every epoch: so many are done. Gives EpochPoint::measured, more being better.
  std::function<double(std::int64_t epochs)> measure = {};
  // If above 0, the training ends after so many epochs on end that measured no better than the best
  // before them.
  std::int64_t patience = 0;
  // After an epoch that measured better than all before. After a kill once more for the same epoch.
  std::function<void()> on_best = {};
  // For logs: a new point of the curve, or an epoch that was measured, `step` steps being done.
  std::function<void(std::int64_t step, const CurvePoint& point)> on_point = {};
  std::function<void(std::int64_t step, const EpochPoint& point)> on_epoch = {};
};

// What is told while a training runs; each may be empty. See TrainingSpan.
struct Listeners {
  std::function<void()> on_best;
  std::function<void(std::int64_t step, const CurvePoint& point)> on_point;
  std::function<void(std::int64_t step, const EpochPoint& point)> on_epoch;
};

// The epoch that measured best, the first of equals; epoch 0 of an empty list.
EpochPoint best_of(const std::vector<EpochPoint>& epochs);

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
  bool done() const;  // all steps were taken, or patience came to its end
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
  void end_point();
  void measure();
  void keep(const TrainingParts& parts, bool epoch_ended);
  bool save(const TrainingParts& parts);
  int signal() const;
  std::string describe() const;

  TrainingSpan span_;
  std::int64_t steps_per_epoch_, total_steps_, per_point_;
  Progress& progress_;
  Checkpoint* checkpoint_;
  TrainingState state_;
  Training before_;            // what earlier processes did
  std::int64_t reported_ = 0;  // images
  double lr_ = 0;              // of the last step
  Clock::time_point start_ = Clock::now();
};

}  // namespace pliant::kit
