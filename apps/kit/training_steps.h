// How the steps of a training are taken: one by one, with batches that a loader prepares, or
// captured and replayed, with batches that are cut on the device and losses that are read a few
// times an epoch. Both compute the same; what random layers drop differs, because captured steps
// fork their keys last (TapeOptions::step).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <pliant/apps/kit/training_record.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/capture.h>
#include <pliant/core/sizes.h>
#include <pliant/core/step_state.h>
#include <pliant/layers/train/moving_average.h>
#include <pliant/layers/train/optimizer.h>
#include <pliant/layers/train/schedule.h>
#include <pliant/layers/train/tally.h>

namespace pliant::kit {

class TrainingSteps {
 public:
  TrainingSteps() = default;
  TrainingSteps(const TrainingSteps&) = delete;
  TrainingSteps& operator=(const TrainingSteps&) = delete;
  virtual ~TrainingSteps() = default;

  virtual std::int64_t per_epoch() const = 0;
  // Once, before the first: so many were done earlier.
  virtual void start(std::int64_t done) = 0;
  // Takes one step or more, at most `most`; after the first, none once `enough`.
  virtual StepTotals take(std::int64_t most, const std::function<bool()>& enough) = 0;
  // How long they have waited for batches.
  virtual double wait_seconds() const { return 0; }
};

// Takes all steps of a training, which goes on from the checkpoint, if there is one; saves by time
// and after each epoch, and once StopOnSignal::asked(), saves and throws Interrupted.
Training train(TrainingSteps& steps, const TrainingParts& parts, const TrainingSpan& span,
               Progress& progress, Checkpoint* checkpoint = nullptr);

// An Error that says so, and which op made the first number that is not finite, as far as taking
// the step again by `again` shows it: nothing has moved since.
[[noreturn]] void fail_not_finite(std::int64_t step, double loss,
                                  const std::function<void()>& again);

// What a step gives.
struct StepOutput {
  Var loss;            // a scalar
  Var logits = {};     // [N classes], with
  Tensor labels = {};  // [N] counted as right or wrong; undefined: nothing is
};

// What a step does. Of a Batch's size() its images are counted.
template <class Batch>
struct StepRule {
  Optimizer& optimizer;
  std::function<StepOutput(const Tape&, const Batch&)> forward;
  Schedule lr;
  std::int64_t epochs = 1;
  std::int64_t batch = 1;  // the largest
  Rng rng = Rng(0);        // of random layers
  Device device = {};
  std::optional<DType> activations = {};  // see TapeOptions
  MovingAverage* average = nullptr;
  // Batches whose gradients make a step, as if they were one; at the end of an epoch fewer may.
  std::int64_t accumulate = 1;
  double clip_norm = 0;  // of the gradients of a step: their largest norm; 0: any

  // On a tape, which hands out its gradients and is gone.
  Gradients gradients(const TapeOptions& options, const Batch& of, Tally& tally) const {
    const Tape tape(options);
    return tape.gradients(loss(tape, of, tally));
  }
  Var loss(const Tape& tape, const Batch& of, Tally& tally) const {
    const StepOutput output = forward(tape, of);
    if (output.labels.defined())
      tally.add(output.logits, output.labels, output.loss);
    else
      tally.add(output.loss);
    return output.loss;
  }
  // For batches of a set of so many images.
  Tally tally(std::int64_t images) const {
    return Tally(device, std::max<std::int64_t>(1, std::min(batch, images)));
  }
  // Step number `step` by its gradients; gives its learning rate.
  double move(Gradients& gradients, std::int64_t step) const {
    if (clip_norm > 0) gradients.clip(clip_norm);
    optimizer.set_lr(lr(step));
    optimizer.step(gradients);
    if (average != nullptr) average->update();
    return optimizer.lr();
  }
};

// Of a loader such as Batches: count() batches an epoch, epoch(number, first) to walk over them,
// wait_seconds().
template <class Loader, class Batch>
class PlainSteps : public TrainingSteps {
 public:
  PlainSteps(Loader loader, StepRule<Batch> rule)
      : loader_(std::move(loader)),
        rule_(std::move(rule)),
        tally_(rule_.tally(loader_.samples_per_epoch())) {
    require(rule_.accumulate >= 1, "training: a step of ", rule_.accumulate,
            " batches, expected at least 1");
  }

  std::int64_t per_epoch() const override {
    return ceil_quotient(loader_.count(), rule_.accumulate);
  }
  void start(std::int64_t done) override { step_ = done; }
  double wait_seconds() const override { return loader_.wait_seconds(); }

  StepTotals take(std::int64_t /*most*/, const std::function<bool()>& /*enough*/) override {
    StepTotals totals{.count = 1};
    Gradients gradients;
    for (std::int64_t part = 0; part < rule_.accumulate; ++part) {
      const Batch* const batch = next(part);
      if (batch == nullptr) break;
      add_part(part, *batch, gradients, totals);
    }
    totals.lr = rule_.move(gradients, step_++);
    return totals;
  }

 private:
  using Epoch = decltype(std::declval<const Loader&>().epoch(0, 0));
  struct Walk {
    Epoch epoch;
    decltype(std::declval<Epoch&>().begin()) at;
    Walk(const Loader& loader, std::int64_t number, std::int64_t first)
        : epoch(loader.epoch(number, first)), at(epoch.begin()) {}
  };

  // The next batch; null where a step is to have more parts than its epoch has batches.
  const Batch* next(std::int64_t part) {
    if (walk_ != nullptr && ++walk_->at == walk_->epoch.end()) walk_.reset();
    if (walk_ == nullptr && part > 0) return nullptr;
    if (walk_ == nullptr)
      walk_ = std::make_unique<Walk>(loader_, step_ / per_epoch(),
                                     step_ % per_epoch() * rule_.accumulate);
    return &*walk_->at;
  }

  // Means over the images of all parts.
  void add_part(std::int64_t part, const Batch& batch, Gradients& mean, StepTotals& totals) {
    Rng rng = rule_.rng.fork("tape").fork(static_cast<std::uint64_t>(step_));
    if (part > 0) rng = rng.fork("part").fork(static_cast<std::uint64_t>(part));
    const TapeOptions options{.rng = rng, .activations = rule_.activations};
    Gradients gradients = rule_.gradients(options, batch, tally_);
    const Totals of = tally_.take();
    if (!std::isfinite(of.loss_sum))
      fail_not_finite(step_, of.loss_sum, [&] { rule_.gradients(options, batch, tally_); });
    const auto before = static_cast<double>(totals.images),
               size = static_cast<double>(batch.size());
    totals.images += batch.size();
    totals.right += of.right;
    if (part == 0) {
      mean = std::move(gradients);
      totals.loss_sum = of.loss_sum;
      return;
    }
    const double share = size / (before + size);
    mean *= 1 - share;
    gradients *= share;
    mean += gradients;
    totals.loss_sum += share * (of.loss_sum - totals.loss_sum);
  }

  Loader loader_;
  StepRule<Batch> rule_;
  Tally tally_;
  std::int64_t step_ = 0;
  std::unique_ptr<Walk> walk_;  // of the epoch under way
};

// Of batches on the device, such as ResidentBatches: count() of them an epoch, size_of(step),
// at(state).
template <class Resident, class Batch>
class CapturedSteps : public TrainingSteps {
 public:
  CapturedSteps(Resident batches, StepRule<Batch> rule)
      : batches_(std::move(batches)), rule_(std::move(rule)), tally_(rule_.device, rule_.batch) {
    require(rule_.accumulate == 1 && rule_.clip_norm == 0,
            "training: captured steps neither accumulate nor clip, which would read on the host");
  }

  std::int64_t per_epoch() const override { return batches_.count(); }

  void start(std::int64_t done) override {
    state_ = StepState(rule_.device,
                       {.lr = rule_.lr, .steps = rule_.epochs * batches_.count(), .number = done});
  }

  StepTotals take(std::int64_t most, const std::function<bool()>& enough) override {
    StepTotals steps;
    while (steps.count < most && !(steps.count > 0 && enough())) {
      const std::int64_t size = batches_.size_of(state_.number());
      step_of(size).replay();
      steps.images += size;
      ++steps.count;
    }
    const Totals totals = tally_.take();
    steps.loss_sum = totals.loss_sum;
    steps.right = totals.right;
    steps.lr = state_.lr(state_.number() - 1);
    return steps;
  }

 private:
  // One for each size of batch: the last of an epoch may be smaller.
  CapturedStep& step_of(std::int64_t size) {
    const auto found = steps_.find(size);
    if (found != steps_.end()) return found->second;
    return steps_.emplace(size, capture(rule_.device, [this] { take_step(); })).first->second;
  }

  void take_step() {
    const Batch batch = batches_.at(state_);
    const TapeOptions options{
        .rng = rule_.rng.fork("tape"), .step = state_, .activations = rule_.activations};
    rule_.optimizer.step(rule_.gradients(options, batch, tally_), state_);
    if (rule_.average != nullptr) rule_.average->update();
    state_.advance();
  }

  Resident batches_;
  StepRule<Batch> rule_;
  Tally tally_;
  StepState state_;
  std::map<std::int64_t, CapturedStep> steps_;  // by size of batch
};

}  // namespace pliant::kit
