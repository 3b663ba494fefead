#include <pliant/apps/train/training.h>

#include <algorithm>
#include <optional>

#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/kit/training_steps.h>
#include <pliant/apps/train/judge.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/layers.h>

namespace pliant::train {
namespace {

// Mean 1 over the pictures.
Tensor class_weights(const PictureSet& set, std::size_t classes, Device device) {
  std::vector<float> weights;
  const auto counts = set.counts(classes);
  for (const std::int64_t count : counts)
    weights.push_back(count == 0 ? 0.0f
                                 : static_cast<float>(set.size()) /
                                       (static_cast<float>(classes) * static_cast<float>(count)));
  return Tensor::from(weights, {static_cast<std::int64_t>(classes)}).to(device);
}

}  // namespace

kit::Training train(kit::Classifier& net, const PictureSets& sets, const NetRecipe& recipe,
                    const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
                    const Listeners& listeners) {
  kit::slow_branches(net, plan.branch_rate);
  AdamW adam(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay});
  std::optional<MovingAverage> average;
  if (plan.average > 0) average.emplace(net, MovingAverageOptions{plan.average, true});
  const CrossEntropyOptions loss{
      .label_smoothing = plan.label_smoothing,
      .class_weights = plan.class_weights
                           ? class_weights(sets.train, recipe.classes.size(), plan.device)
                           : Tensor()};
  using Pictures = Loader<LabelledImages>;
  Pictures loader(NetInput(sets.train, recipe, plan.augment), stack_images,
                  {.size = std::min(plan.batch, sets.train.size()),
                   .shuffle = plan.rng.fork("shuffle"),
                   .device = plan.device,
                   .augment = plan.rng.fork("augment"),
                   .drop_last = true,
                   .threads = plan.loaders});
  const std::int64_t steps =
      checked_product("training", {plan.epochs, ceil_quotient(loader.count(), plan.accumulate)});
  kit::PlainSteps<Pictures, LabelledImages> taken(
      std::move(loader),
      {.optimizer = adam,
       .forward = [&](const Tape& tape, const LabelledImages& batch) -> kit::StepOutput {
         const Var logits = net(tape.input(batch.images));
         return {softmax_cross_entropy(logits, batch.labels, loss), logits, batch.labels};
       },
       .lr = one_cycle_lr({.max_lr = plan.lr, .total_steps = steps}),
       .epochs = plan.epochs,
       .batch = plan.batch,
       .rng = plan.rng,
       .device = plan.device,
       .activations = plan.activations,
       .average = average ? &*average : nullptr,
       .accumulate = plan.accumulate,
       .clip_norm = plan.clip});
  const auto with_average = [&average](const auto& work) {
    if (!average) return work();
    const AveragedWeights averaged(*average);
    return work();
  };
  const kit::TrainingSpan span{
      .epochs = plan.epochs,
      .measure =
          [&](std::int64_t) {
            return with_average([&] {
              return judge(net, sets.val, recipe, {.device = plan.device, .threads = plan.loaders})
                  .accuracy();
            });
          },
      .patience = plan.patience,
      .on_best =
          [&] {
            if (listeners.on_best) with_average(listeners.on_best);
          },
      .on_point = listeners.on_point,
      .on_epoch = listeners.on_epoch};
  const TrainingParts parts{
      .net = net, .optimizers = {{"adamw", adam}}, .average = average ? &*average : nullptr};
  return kit::train(taken, parts, span, progress, checkpoint);
}

}  // namespace pliant::train
