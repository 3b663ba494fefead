#include <pliant/apps/mnist/training.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <pliant/data/batches.h>

namespace pliant {
namespace {

std::string describe(std::int64_t epoch, std::int64_t epochs, double loss,
                     double images_per_second) {
  char text[64];
  std::snprintf(text, sizeof text, "  loss %.4f  %.0f images/s", loss, images_per_second);
  return "epoch " + std::to_string(epoch + 1) + '/' + std::to_string(epochs) + text;
}

}  // namespace

Effort train(DigitNet& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
             Progress& progress) {
  std::optional<AugmentOptions> augment;
  if (plan.augment) augment = AugmentOptions{*plan.augment, plan.rng.fork("augment")};
  const Batches batches(set, {.size = plan.batch,
                              .shuffle = plan.rng.fork("shuffle"),
                              .device = plan.device,
                              .augment = augment});
  Adam adam(net.parameters(), {.lr = plan.lr});
  const std::int64_t steps = plan.epochs * batches.count();
  const OneCycle schedule{.max_lr = plan.lr, .total_steps = steps};

  Effort effort;
  const auto start = std::chrono::steady_clock::now();
  std::int64_t step = 0;
  double loss_mean = 0;
  for (std::int64_t epoch = 0; epoch < plan.epochs; ++epoch) {
    for (const Batch& batch : batches.epoch(epoch)) {
      Tape tape({.rng = plan.rng.fork("tape").fork(static_cast<std::uint64_t>(step))});
      const Var loss = softmax_cross_entropy(net(tape.input(batch.images)), batch.labels);
      adam.set_lr(one_cycle_lr(step++, schedule));
      adam.step(tape.gradients(loss));
      const double now = loss.value().item();
      require(now == now, "training: the loss is not a number at step ", step, "; lower --lr");
      loss_mean = step == 1 ? now : 0.98 * loss_mean + 0.02 * now;
      effort.images += batch.size();
      effort.seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      progress.advance(cost * static_cast<double>(batch.size()),
                       describe(epoch, plan.epochs, loss_mean,
                                static_cast<double>(effort.images) / effort.seconds));
    }
  }
  effort.wait_seconds = batches.wait_seconds();
  return effort;
}

double accuracy(const DigitNet& net, const LabelledImages& set, Device device,
                const std::function<void(std::int64_t)>& advance) {
  constexpr std::int64_t kBatch = 250;
  std::int64_t right = 0;
  for (std::int64_t at = 0; at < set.size(); at += kBatch) {
    const std::int64_t end = std::min(set.size(), at + kBatch);
    const Tensor guesses = argmax(net(set.images.slice(at, end).to(device)), -1).to(Device::cpu());
    const Tensor labels = set.labels.slice(at, end);
    for (std::int64_t i = 0; i < end - at; ++i)
      right += guesses.data<std::int64_t>()[i] == labels.data<std::int64_t>()[i] ? 1 : 0;
    if (advance) advance(end - at);
  }
  return static_cast<double>(right) / static_cast<double>(set.size());
}

TestSets make_test_sets(const LabelledImages& test) {
  constexpr std::uint64_t kSeed = 2017;  // the scaled test set is the same in every run
  return {{to_float(test.images), test.labels},
          {scaled(test.images, {}, Rng(kSeed).fork("scaled test")), test.labels}};
}

}  // namespace pliant
