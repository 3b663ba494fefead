#include <pliant/apps/mnist/training.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <pliant/apps/mnist/captured_training.h>
#include <pliant/apps/mnist/training_record.h>

namespace pliant {
namespace {

using Clock = std::chrono::steady_clock;

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

Confusion empty_table(std::int64_t classes, const Tensor& labels) {
  for (const std::int64_t label : labels.span<std::int64_t>())
    require(label >= 0 && label < classes, "an image has label ", label, ", but the net knows ",
            classes, " classes, 0 to ", classes - 1);
  return Confusion(static_cast<std::size_t>(classes));
}

class Trainer {
 public:
  Trainer(Classifier& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
          Progress& progress, Checkpoint* checkpoint)
      : net_(net),
        plan_(plan),
        batches_(set, batch_options(plan)),
        adam_(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay}),
        record_(plan, batches_.count(), cost, progress, checkpoint),
        schedule_{.max_lr = plan.lr, .total_steps = record_.total_steps()} {}

  Training run() {
    record_.resume(net_, adam_);
    while (record_.step() < record_.total_steps()) {
      const std::int64_t step = record_.step(), count = batches_.count();
      for (const Batch& batch : batches_.epoch(step / count, step % count)) {
        take_step(batch);
        record_.report(net_, adam_, batches_.wait_seconds());
      }
    }
    return record_.take();
  }

 private:
  void take_step(const Batch& batch) {
    const std::int64_t step = record_.step();
    Tape tape({.rng = plan_.rng.fork("tape").fork(static_cast<std::uint64_t>(step)),
               .activations = plan_.activations});
    const Var logits = net_(tape.input(batch.images));
    const Var loss = softmax_cross_entropy(logits, batch.labels);
    adam_.set_lr(one_cycle_lr(step, schedule_));
    const std::int64_t right = count_right(logits.value(), batch.labels);
    adam_.step(tape.gradients(loss));
    record_.add({.count = 1,
                 .images = batch.size(),
                 .right = right,
                 .loss_sum = loss.value().item(),
                 .lr = adam_.lr()});
  }

  Classifier& net_;
  const TrainingPlan& plan_;
  Batches batches_;
  Adam adam_;
  TrainingRecord record_;
  OneCycle schedule_;
};

}  // namespace

std::optional<DType> activations_at(const std::string& precision) {
  return precision == "bfloat16" ? std::optional(DType::bfloat16) : std::nullopt;
}

BatchOptions batch_options(const TrainingPlan& plan) {
  BatchOptions options{
      .size = plan.batch, .shuffle = plan.rng.fork("shuffle"), .device = plan.device};
  if (plan.augment) options.augment = AugmentOptions{*plan.augment, plan.rng.fork("augment")};
  return options;
}

Training train(Classifier& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
               Progress& progress, Checkpoint* checkpoint) {
  if (plan.device.is_cuda()) return train_captured(net, set, plan, cost, progress, checkpoint);
  return Trainer(net, set, plan, cost, progress, checkpoint).run();
}

Training reestimate_statistics(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                               double cost, Progress& progress) {
  const Batches batches(set, batch_options(plan));
  const auto start = Clock::now();
  Training training;
  for (const Batch& batch : batches.epoch(0)) {
    const Tape tape(
        {.record = false,
         .rng = plan.rng.fork("statistics").fork(static_cast<std::uint64_t>(training.images_seen)),
         .activations = plan.activations});
    net(tape.input(batch.images));
    training.images_seen += batch.size();
    training.seconds = seconds_since(start);
    progress.advance(cost * static_cast<double>(batch.size()), "statistics");
  }
  training.wait_seconds = batches.wait_seconds();
  return training;
}

bool all_finite(const std::vector<double>& logits) {
  return std::all_of(logits.begin(), logits.end(), [](double x) { return std::isfinite(x); });
}

Confusion confusion(const Classifier& net, const LabelledImages& set, Device device,
                    const std::function<void(std::int64_t)>& advance) {
  constexpr std::int64_t kBatch = 250;
  Confusion table;
  for (std::int64_t at = 0; at < set.size(); at += kBatch) {
    const std::int64_t end = std::min(set.size(), at + kBatch);
    const Tensor logits = net(set.images.slice(at, end).to(device)).value();
    require(all_finite(logits.to_vector()), "the net's logits are not numbers");
    if (at == 0) table = empty_table(logits.dim(1), set.labels);
    count_right(logits, set.labels.slice(at, end), &table);
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
