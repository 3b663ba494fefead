#include <pliant/apps/mnist/training.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <pliant/apps/mnist/interrupt.h>
#include <pliant/data/batches.h>

namespace pliant {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kCurvePoints = 60;  // of a training

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t count_right(const Tensor& logits, const Tensor& labels, Confusion* table = nullptr) {
  const Tensor guesses = argmax(Var(logits), -1).to(Device::cpu()),
               truth = labels.to(Device::cpu());
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < truth.size(); ++i) {
    const std::int64_t guess = guesses.data<std::int64_t>()[i];
    const std::int64_t label = truth.data<std::int64_t>()[i];
    right += guess == label ? 1 : 0;
    if (table != nullptr)
      ++(*table)[static_cast<std::size_t>(label)][static_cast<std::size_t>(guess)];
  }
  return right;
}

Batches batches_of(const LabelledImages& set, const TrainingPlan& plan) {
  std::optional<AugmentOptions> augment;
  if (plan.augment) augment = AugmentOptions{*plan.augment, plan.rng.fork("augment")};
  return Batches(set, {.size = plan.batch,
                       .shuffle = plan.rng.fork("shuffle"),
                       .device = plan.device,
                       .augment = augment});
}

class Trainer {
 public:
  Trainer(Classifier& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
          Progress& progress, Checkpoint* checkpoint)
      : net_(net),
        plan_(plan),
        cost_(cost),
        progress_(progress),
        checkpoint_(checkpoint),
        batches_(batches_of(set, plan)),
        adam_(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay}),
        schedule_{.max_lr = plan.lr, .total_steps = plan.epochs * batches_.count()},
        per_point_(std::max<std::int64_t>(1, schedule_.total_steps / kCurvePoints)) {}

  Training run() {
    if (checkpoint_ != nullptr && checkpoint_->load(net_, adam_, state_))
      progress_.skip(cost_ * static_cast<double>(state_.training.images_seen));
    before_ = state_.training;
    while (state_.step < schedule_.total_steps) run_epoch(state_.step / batches_.count());
    return std::move(state_.training);
  }

 private:
  void run_epoch(std::int64_t epoch) {
    for (const Batch& batch : batches_.epoch(epoch, state_.step % batches_.count())) {
      take_step(batch);
      Training& training = state_.training;
      training.images_seen += batch.size();
      training.seconds = before_.seconds + seconds_since(start_);
      training.wait_seconds = before_.wait_seconds + batches_.wait_seconds();
      progress_.advance(cost_ * static_cast<double>(batch.size()), describe(epoch));
      if (state_.step % batches_.count() == 0) {
        if (plan_.measure) training.epochs.push_back(plan_.measure(epoch + 1));
        keep(true);
      } else {
        keep(false);
      }
    }
  }

  void take_step(const Batch& batch) {
    Tape tape({.rng = plan_.rng.fork("tape").fork(static_cast<std::uint64_t>(state_.step))});
    const Var logits = net_(tape.input(batch.images));
    const Var loss = softmax_cross_entropy(logits, batch.labels);
    adam_.set_lr(one_cycle_lr(state_.step, schedule_));
    state_.right += count_right(logits.value(), batch.labels);
    adam_.step(tape.gradients(loss));
    const double now = loss.value().item();
    require(now == now, "training: the loss is not a number at step ", state_.step, "; lower --lr");
    state_.loss_mean = state_.step == 0 ? now : 0.98 * state_.loss_mean + 0.02 * now;
    state_.loss_sum += now;
    state_.images += batch.size();
    ++state_.steps;
    ++state_.step;
    if (state_.steps == per_point_ || state_.step == schedule_.total_steps) end_point();
  }

  void end_point() {
    state_.training.curve.push_back(
        {static_cast<double>(state_.step) / static_cast<double>(batches_.count()), adam_.lr(),
         state_.loss_sum / static_cast<double>(state_.steps),
         static_cast<double>(state_.right) / static_cast<double>(state_.images)});
    state_.loss_sum = 0;
    state_.steps = state_.images = state_.right = 0;
  }

  void keep(bool epoch_ended) {
    if (checkpoint_ == nullptr) return;
    const int signal = StopOnSignal::asked();
    if (epoch_ended || signal != 0 || checkpoint_->due()) checkpoint_->save(net_, adam_, state_);
    if (signal != 0) throw Interrupted(signal);
  }

  std::string describe(std::int64_t epoch) const {
    char text[64];
    std::snprintf(text, sizeof text, "  loss %.4f  %.0f images/s", state_.loss_mean,
                  state_.training.images_per_second());
    return "epoch " + std::to_string(epoch + 1) + '/' + std::to_string(plan_.epochs) + text;
  }

  Classifier& net_;
  const TrainingPlan& plan_;
  double cost_;
  Progress& progress_;
  Checkpoint* checkpoint_;
  Batches batches_;
  Adam adam_;
  OneCycle schedule_;
  std::int64_t per_point_;  // steps
  TrainingState state_;
  Training before_;  // what earlier processes did
  Clock::time_point start_ = Clock::now();
};

}  // namespace

Training train(Classifier& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
               Progress& progress, Checkpoint* checkpoint) {
  return Trainer(net, set, plan, cost, progress, checkpoint).run();
}

Training reestimate_statistics(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                               double cost, Progress& progress) {
  const Batches batches = batches_of(set, plan);
  const auto start = Clock::now();
  Training training;
  for (const Batch& batch : batches.epoch(0)) {
    const Tape tape(
        {.record = false,
         .rng =
             plan.rng.fork("statistics").fork(static_cast<std::uint64_t>(training.images_seen))});
    net(tape.input(batch.images));
    training.images_seen += batch.size();
    training.seconds = seconds_since(start);
    progress.advance(cost * static_cast<double>(batch.size()), "statistics");
  }
  training.wait_seconds = batches.wait_seconds();
  return training;
}

Confusion confusion(const Classifier& net, const LabelledImages& set, Device device,
                    const std::function<void(std::int64_t)>& advance) {
  constexpr std::int64_t kBatch = 250;
  Confusion table{};
  for (std::int64_t at = 0; at < set.size(); at += kBatch) {
    const std::int64_t end = std::min(set.size(), at + kBatch);
    count_right(net(set.images.slice(at, end).to(device)).value(), set.labels.slice(at, end),
                &table);
    if (advance) advance(end - at);
  }
  return table;
}

double accuracy(const Confusion& confusion) {
  std::int64_t right = 0, all = 0;
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    right += confusion[label][label];
    for (const std::int64_t count : confusion[label]) all += count;
  }
  return all > 0 ? static_cast<double>(right) / static_cast<double>(all) : 0;
}

double accuracy(const Classifier& net, const LabelledImages& set, Device device,
                const std::function<void(std::int64_t)>& advance) {
  return accuracy(confusion(net, set, device, advance));
}

LabelledImages scaled_test_set(const LabelledImages& test, std::int64_t draw) {
  constexpr std::uint64_t kSeed = 2017;  // a scaled test set is the same in every run
  const Rng first = Rng(kSeed).fork("scaled test");
  const Rng rng = draw == 0 ? first : first.fork("draw").fork(static_cast<std::uint64_t>(draw));
  return {scaled(test.images, {}, rng), test.labels};
}

TestSets make_test_sets(const LabelledImages& test) {
  return {{to_float(test.images), test.labels}, scaled_test_set(test, 0)};
}

}  // namespace pliant
