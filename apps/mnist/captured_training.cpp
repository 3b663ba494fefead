#include <pliant/apps/mnist/captured_training.h>

#include <algorithm>
#include <map>

#include <pliant/apps/mnist/training_record.h>
#include <pliant/core/capture.h>
#include <pliant/data/resident_batches.h>
#include <pliant/layers/train/tally.h>

namespace pliant {
namespace {

class CapturedTrainer {
 public:
  CapturedTrainer(Classifier& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
                  Progress& progress, Checkpoint* checkpoint)
      : net_(net),
        plan_(plan),
        batches_(set, batch_options(plan), plan.epochs),
        adam_(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay}),
        tally_(plan.device, plan.batch),
        record_(plan, batches_.count(), cost, progress, checkpoint) {}

  Training run() {
    record_.resume(net_, adam_);
    const OneCycle schedule{.max_lr = plan_.lr, .total_steps = record_.total_steps()};
    state_ = StepState(
        plan_.device,
        {.lr = one_cycle_lr(schedule), .steps = record_.total_steps(), .number = record_.step()});
    while (record_.step() < record_.total_steps()) run_steps();
    return record_.take();
  }

 private:
  // Until there is something to tell.
  void run_steps() {
    const std::int64_t to_epoch = batches_.count() - record_.step() % batches_.count();
    const std::int64_t most = std::min(record_.steps_to_point(), to_epoch);
    TrainingRecord::Steps steps{};
    while (steps.count < most && !(steps.count > 0 && record_.should_report())) {
      const std::int64_t size = batches_.size_of(state_.number());
      step_of(size).replay();
      steps.images += size;
      ++steps.count;
    }
    const Totals totals = tally_.take();
    steps.loss_sum = totals.loss_sum;
    steps.right = totals.right;
    steps.lr = state_.lr(state_.number() - 1);
    record_.add(steps);
    record_.report(net_, adam_, /*wait_seconds=*/0);
  }

  // One for each size of batch: the last of an epoch may be smaller.
  CapturedStep& step_of(std::int64_t size) {
    const auto found = steps_.find(size);
    if (found != steps_.end()) return found->second;
    return steps_.emplace(size, capture(plan_.device, [this] { take_step(); })).first->second;
  }

  void take_step() {
    const Batch batch = batches_.at(state_);
    Tape tape({.rng = plan_.rng.fork("tape"), .step = state_, .activations = plan_.activations});
    const Var logits = net_(tape.input(batch.images));
    const Var loss = softmax_cross_entropy(logits, batch.labels);
    tally_.add(logits, batch.labels, loss);
    adam_.step(tape.gradients(loss), state_);
    state_.advance();
  }

  Classifier& net_;
  const TrainingPlan& plan_;
  ResidentBatches batches_;
  Adam adam_;
  Tally tally_;
  TrainingRecord record_;
  StepState state_;
  std::map<std::int64_t, CapturedStep> steps_;  // by size of batch
};

}  // namespace

Training train_captured(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                        double cost, Progress& progress, Checkpoint* checkpoint) {
  return CapturedTrainer(net, set, plan, cost, progress, checkpoint).run();
}

}  // namespace pliant
