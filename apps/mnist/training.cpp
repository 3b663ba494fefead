#include <pliant/apps/mnist/training.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include <pliant/apps/kit/parallel_steps.h>
#include <pliant/apps/kit/training_steps.h>
#include <pliant/core/sizes.h>
#include <pliant/data/resident_batches.h>

namespace pliant::mnist {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void count(const Tensor& logits, const Tensor& labels, kit::Confusion& table) {
  const Tensor guesses = argmax(Var(logits), -1).to(Device::cpu());
  for (std::int64_t i = 0; i < labels.size(); ++i)
    ++table[static_cast<std::size_t>(labels.data<std::int64_t>()[i])]
           [static_cast<std::size_t>(guesses.data<std::int64_t>()[i])];
}

kit::Confusion empty_table(std::int64_t classes, const Tensor& labels) {
  for (const std::int64_t label : labels.span<std::int64_t>())
    require(label >= 0 && label < classes, "an image has label ", label, ", but the net knows ",
            classes, " classes, 0 to ", classes - 1);
  return kit::Confusion(static_cast<std::size_t>(classes));
}

// By steps that make(rule) makes, `per_epoch` of them.
template <class Make>
kit::Training train_by(std::int64_t per_epoch, const Make& make, Classifier& net,
                       const LabelledImages& set, const TrainingPlan& plan, double cost,
                       kit::Progress& progress, kit::Checkpoint* checkpoint) {
  Adam adam(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay});
  const std::int64_t total = checked_product("training", {plan.epochs, per_epoch});
  const auto forward = [&net](const Tape& tape, const LabelledImages& batch) -> kit::StepOutput {
    const Var logits = net(tape.input(batch.images));
    return {softmax_cross_entropy(logits, batch.labels), logits, batch.labels};
  };
  const auto steps = make(
      kit::StepRule<LabelledImages>{.optimizer = adam,
                                    .forward = forward,
                                    .lr = one_cycle_lr({.max_lr = plan.lr, .total_steps = total}),
                                    .epochs = plan.epochs,
                                    .batch = std::min(plan.batch, set.size()),
                                    .rng = plan.rng,
                                    .device = plan.device,
                                    .activations = plan.activations});
  return kit::train(
      *steps, {.net = net, .optimizers = {{"adam", adam}}},
      {.epochs = plan.epochs, .group = plan.ranks.group, .cost = cost, .measure = plan.measure},
      progress, checkpoint);
}

}  // namespace

LabelledImages first_images(const LabelledImages& set, std::int64_t count) {
  if (count <= 0 || count >= set.size()) return set;
  return {set.images.slice(0, count), set.labels.slice(0, count)};
}

BatchOptions batch_options(const TrainingPlan& plan) {
  BatchOptions options{
      .size = plan.batch, .shuffle = plan.rng.fork("shuffle"), .device = plan.device};
  if (plan.augment) options.augment = AugmentOptions{*plan.augment, plan.rng.fork("augment")};
  return options;
}

kit::Training train(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                    double cost, kit::Progress& progress, kit::Checkpoint* checkpoint) {
  const auto by = [&](std::int64_t per_epoch, const auto& make) {
    return train_by(per_epoch, make, net, set, plan, cost, progress, checkpoint);
  };
  using Rule = kit::StepRule<LabelledImages>;
  if (plan.ranks.in_parts()) {
    DataParallel parallel(plan.ranks.group, net, plan.ranks.data_parallel);
    BatchOptions options = batch_options(plan);
    options.size /= plan.ranks.parts;
    options.parts = plan.ranks.parts;
    const Batches batches(set, parallel.share(options));
    return by(batches.steps_per_epoch(), [&](const Rule& rule) {
      return std::make_unique<kit::ParallelSteps<Batches, LabelledImages>>(parallel, batches, rule);
    });
  }
  if (plan.device.is_cuda()) return train_captured(net, set, plan, cost, progress, checkpoint);
  const Batches batches(set, batch_options(plan));
  return by(batches.count(), [&](const Rule& rule) {
    return std::make_unique<kit::PlainSteps<Batches, LabelledImages>>(batches, rule);
  });
}

kit::Training train_captured(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                             double cost, kit::Progress& progress, kit::Checkpoint* checkpoint) {
  const ResidentBatches batches(set, batch_options(plan), plan.epochs);
  const auto make = [&](const kit::StepRule<LabelledImages>& rule) {
    return std::make_unique<kit::CapturedSteps<ResidentBatches, LabelledImages>>(batches, rule);
  };
  return train_by(batches.count(), make, net, set, plan, cost, progress, checkpoint);
}

kit::Training reestimate_statistics(Classifier& net, const LabelledImages& set,
                                    const TrainingPlan& plan, double cost,
                                    kit::Progress& progress) {
  const Batches batches(set, batch_options(plan));
  const auto start = Clock::now();
  kit::Training training;
  for (const LabelledImages& batch : batches.epoch(0)) {
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

kit::Confusion confusion(const Classifier& net, const LabelledImages& set, Device device,
                         const std::function<void(std::int64_t)>& advance) {
  constexpr std::int64_t kBatch = 250;
  kit::Confusion table;
  for (std::int64_t at = 0; at < set.size(); at += kBatch) {
    const std::int64_t end = std::min(set.size(), at + kBatch);
    const Tensor logits = net(set.images.slice(at, end).to(device)).value();
    require(all_finite(logits.to_vector()), "the net's logits are not numbers");
    if (at == 0) table = empty_table(logits.dim(1), set.labels);
    count(logits, set.labels.slice(at, end), table);
    if (advance) advance(end - at);
  }
  return table;
}

double accuracy(const kit::Confusion& confusion) {
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
  return {scale_images(test.images, {}, rng), test.labels};
}

TestSets make_test_sets(const LabelledImages& test) {
  return {{to_float(test.images), test.labels}, scaled_test_set(test, 0)};
}

}  // namespace pliant::mnist
