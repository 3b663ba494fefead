#include <pliant/apps/segment/training.h>

#include <algorithm>
#include <vector>

#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/kit/training_steps.h>
#include <pliant/apps/segment/judge.h>
#include <pliant/core/sizes.h>
#include <pliant/data/loader.h>
#include <pliant/layers/layers.h>

namespace pliant::segment {
namespace {

constexpr double kNothingMeasured = 0;  // a val set of which no pixel belongs to a class

Tensor class_weights(const PictureSet& set, std::size_t classes, Device device) {
  std::vector<double> pixels;
  for (const std::int64_t count : pixels_by_class(set, classes))
    pixels.push_back(static_cast<double>(count));
  std::vector<float> weights;
  for (const double weight : log_balanced_weights(pixels))
    weights.push_back(static_cast<float>(weight));
  return Tensor::from(weights, {static_cast<std::int64_t>(classes)}).to(device);
}

}  // namespace

Trained train(DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners) {
  if (plan.freeze_batch_norm) freeze_batch_norm(net);
  net.set_lr_factor("trunk", plan.trunk_rate);
  kit::slow_branches(net, plan.branch_rate);
  Sgd sgd(net.parameters(),
          {.lr = plan.lr, .momentum = plan.momentum, .weight_decay = plan.weight_decay});
  const CrossEntropyOptions loss{
      .ignore_index = kVoid,
      .class_weights = plan.class_weights
                           ? class_weights(sets.train, recipe.classes.size(), plan.device)
                           : Tensor()};
  Loader<Crops> loader(NetInput(sets.train, recipe, plan.augment), crops_of,
                       {.size = std::min(plan.batch, sets.train.size()),
                        .shuffle = plan.rng.fork("shuffle"),
                        .device = plan.device,
                        .augment = plan.rng.fork("augment"),
                        .drop_last = true,
                        .threads = plan.loaders});
  const std::int64_t steps =
      checked_product("training", {plan.epochs, ceil_quotient(loader.count(), plan.accumulate)});
  kit::PlainSteps<Loader<Crops>, Crops> taken(
      std::move(loader),
      {.optimizer = sgd,
       .forward = [&](const Tape& tape, const Crops& batch) -> kit::StepOutput {
         const Var logits = net(tape.input(batch.images));
         // The mean over no pixel would be no number.
         if (batch.counted == 0) return {.loss = mean(logits) * 0.0};
         return {.loss = softmax_cross_entropy(logits, batch.labels, loss)};
       },
       .lr = polynomial_lr({.base_lr = plan.lr, .total_steps = steps, .power = plan.power}),
       .epochs = plan.epochs,
       .batch = plan.batch,
       .rng = plan.rng,
       .device = plan.device,
       .activations = plan.activations,
       .accumulate = plan.accumulate,
       .clip_norm = plan.clip});
  const kit::TrainingSpan span{
      .epochs = plan.epochs,
      .measure =
          [&](std::int64_t) {
            const Judgement judgement = judge(net, recipe, sets.val, {.device = plan.device});
            return judgement.total().accuracy() >= 0 ? judgement.mean_iou : kNothingMeasured;
          },
      .patience = plan.patience,
      .on_best = listeners.on_best,
      .on_point = listeners.on_point,
      .on_epoch = listeners.on_epoch};
  const TrainingParts parts{.net = net, .optimizers = {{"sgd", sgd}}};
  return kit::train_timed(taken, parts, span, progress, checkpoint);
}

}  // namespace pliant::segment
