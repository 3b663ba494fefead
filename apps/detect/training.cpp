#include <pliant/apps/detect/training.h>

#include <algorithm>

#include <pliant/apps/detect/judge.h>
#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/core/sizes.h>
#include <pliant/data/loader.h>
#include <pliant/layers/layers.h>

namespace pliant::detect {

Trained train(FasterRCNN& net, const NetRecipe& recipe, const PictureSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners) {
  if (plan.freeze_batch_norm) net.freeze_batch_norm();
  kit::slow_branches(net, plan.branch_rate);
  AdamW adam(net.parameters(), {.lr = plan.lr, .weight_decay = plan.weight_decay});
  const std::int64_t divisor = preset_of(recipe.preset).divisor;
  using Batches = Loader<NetBatch>;
  Batches loader(
      NetInput(sets.train, recipe, plan.augment),
      [divisor](const std::vector<NetPicture>& pictures) { return batch_of(pictures, divisor); },
      {.size = std::min(plan.batch, sets.train.size()),
       .shuffle = plan.rng.fork("shuffle"),
       .device = plan.device,
       .augment = plan.rng.fork("augment"),
       .drop_last = true,
       .threads = plan.loaders});
  const std::int64_t steps =
      checked_product("training", {plan.epochs, ceil_quotient(loader.count(), plan.accumulate)});
  kit::PlainSteps<Batches, NetBatch> taken(
      std::move(loader),
      {.optimizer = adam,
       .forward = [&net](const Tape& tape, const NetBatch& batch) -> kit::StepOutput {
         const Var images = tape.input(batch.images);
         return {.loss =
                     net.losses({images, batch.sizes}, batch.truth, images.rng().fork("candidates"))
                         .sum()};
       },
       .lr = one_cycle_lr({.max_lr = plan.lr, .total_steps = steps}),
       .epochs = plan.epochs,
       .batch = plan.batch,
       .rng = plan.rng,
       .device = plan.device,
       .accumulate = plan.accumulate,
       .clip_norm = plan.clip});
  const kit::TrainingSpan span{
      .epochs = plan.epochs,
      .measure = [&](std::int64_t) { return judge(net, recipe, sets.val, plan.device).ap(); },
      .patience = plan.patience,
      .on_best = listeners.on_best,
      .on_point = listeners.on_point,
      .on_epoch = listeners.on_epoch};
  const TrainingParts parts{.net = net, .optimizers = {{"adamw", adam}}};
  return kit::train_timed(taken, parts, span, progress, checkpoint);
}

}  // namespace pliant::detect
