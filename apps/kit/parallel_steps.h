// ParallelSteps: the steps of a training in parts, shared among the ranks of a group.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <pliant/apps/kit/training_steps.h>
#include <pliant/layers/train/data_parallel.h>

namespace pliant::kit {

// Of a loader with LoaderOptions::parts, whose steps() are this rank's. A step's batch is all of its
// parts, however many: rule.accumulate says nothing here.
template <class Loader, class Batch>
class ParallelSteps : public TrainingSteps {
 public:
  ParallelSteps(DataParallel& parallel, Loader loader, StepRule<Batch> rule)
      : parallel_(parallel),
        loader_(std::move(loader)),
        rule_(std::move(rule)),
        tally_(rule_.tally(loader_.samples_per_epoch())) {}

  std::int64_t per_epoch() const override { return loader_.steps_per_epoch(); }
  void start(std::int64_t done) override { step_ = done; }
  double wait_seconds() const override { return loader_.wait_seconds(); }

  StepTotals take(std::int64_t /*most*/, const std::function<bool()>& /*enough*/) override {
    if (walk_ != nullptr && ++walk_->at == walk_->steps.end()) walk_.reset();
    if (walk_ == nullptr)
      walk_ = std::make_unique<Walk>(loader_, step_ / per_epoch(), step_ % per_epoch());
    const auto& step = *walk_->at;
    const TapeOptions options{.rng = rule_.rng.fork("tape").fork(static_cast<std::uint64_t>(step_)),
                              .activations = rule_.activations};
    Gradients gradients = parallel_.gradients(
        step.share, step.batches, options,
        [&](const Tape& tape, const Batch& batch) { return rule_.loss(tape, batch, tally_); });
    StepTotals totals{.count = 1,
                      .images = step.share.samples,
                      .right = parallel_.group().sum(tally_.take().right),
                      .loss_sum = parallel_.loss()};
    totals.lr = rule_.move(gradients, step_++);
    return totals;
  }

 private:
  struct Walk {
    decltype(std::declval<const Loader&>().steps(0, 0)) steps;
    decltype(steps.begin()) at;
    Walk(const Loader& loader, std::int64_t epoch, std::int64_t first)
        : steps(loader.steps(epoch, first)), at(steps.begin()) {}
  };

  DataParallel& parallel_;
  Loader loader_;
  StepRule<Batch> rule_;
  Tally tally_;
  std::int64_t step_ = 0;
  std::unique_ptr<Walk> walk_;  // of the epoch under way
};

}  // namespace pliant::kit
