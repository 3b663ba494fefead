#include <pliant/apps/train/training.h>

#include <algorithm>
#include <memory>
#include <optional>

#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/kit/parallel_steps.h>
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
  const bool in_parts = plan.ranks.in_parts();
  DataParallel parallel(plan.ranks.group, net, plan.ranks.data_parallel);
  using Pictures = Loader<LabelledImages>;
  Pictures loader(NetInput(sets.train, recipe, plan.augment), stack_images,
                  parallel.share(LoaderOptions{
                      .size = std::min(plan.batch, sets.train.size()) / plan.ranks.parts,
                      .shuffle = plan.rng.fork("shuffle"),
                      .device = plan.device,
                      .augment = plan.rng.fork("augment"),
                      .drop_last = true,
                      .threads = plan.loaders,
                      .parts = in_parts ? plan.ranks.parts * plan.accumulate : 1}));
  const std::int64_t per_epoch =
      in_parts ? loader.steps_per_epoch() : ceil_quotient(loader.count(), plan.accumulate);
  const std::int64_t steps = checked_product("training", {plan.epochs, per_epoch});
  kit::StepRule<LabelledImages> rule{
      .optimizer = adam,
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
      .clip_norm = plan.clip};
  std::unique_ptr<kit::TrainingSteps> taken;
  if (in_parts)
    taken = std::make_unique<kit::ParallelSteps<Pictures, LabelledImages>>(parallel, loader, rule);
  else
    taken = std::make_unique<kit::PlainSteps<Pictures, LabelledImages>>(loader, rule);
  const auto with_average = [&average](const auto& work) {
    if (!average) return work();
    const AveragedWeights averaged(*average);
    return work();
  };
  const kit::TrainingSpan span{
      .epochs = plan.epochs,
      .group = plan.ranks.group,
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
  return kit::train(*taken, parts, span, progress, checkpoint);
}

}  // namespace pliant::train
