#include <pliant/apps/track/training.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/track/judge.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/data/loader.h>
#include <pliant/layers/layers.h>

namespace pliant::track {
namespace {

constexpr double kBoxWeight = 1.2;  // of the boxes' loss

}  // namespace

Schedule siamrpn_lr(double peak, std::int64_t epochs, std::int64_t steps_per_epoch) {
  constexpr double kFirst = 0.2, kLast = 0.1;
  const std::int64_t steps = epochs * steps_per_epoch;
  const std::int64_t warm = std::max<std::int64_t>(1, steps / 4);
  return [=](std::int64_t step) {
    if (step < warm)
      return peak * (kFirst + (1 - kFirst) * static_cast<double>(step) / static_cast<double>(warm));
    const double way = static_cast<double>(step - warm) /
                       static_cast<double>(std::max<std::int64_t>(1, steps - 1 - warm));
    return peak * std::pow(kLast, std::min(1.0, way));
  };
}

Trained train(SiamRPN& net, const NetRecipe& recipe, const VideoSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners) {
  if (is_deformable(recipe.arm)) kit::slow_branches(net, plan.branch_rate);
  Sgd sgd(net.parameters(),
          {.lr = plan.lr, .momentum = plan.momentum, .weight_decay = plan.weight_decay});
  using Batches = Loader<NetBatch>;
  Batches loader(PairInput(sets.train, sets.stills, net, recipe, plan.pairs), batch_of,
                 {.size = std::min(plan.batch, plan.pairs.pairs),
                  .device = plan.device,
                  .augment = plan.rng.fork("pairs"),
                  .drop_last = true,
                  .threads = plan.loaders});
  const std::int64_t per_epoch = loader.count();
  kit::PlainSteps<Batches, NetBatch> taken(
      std::move(loader),
      {.optimizer = sgd,
       .forward = [&net](const Tape& tape, const NetBatch& batch) -> kit::StepOutput {
         const SiamRPNOutput output = net(tape.input(batch.exemplars), tape.input(batch.searches));
         const DetectionLoss loss =
             siamrpn_loss(output.logits, output.deltas, batch.labels, batch.deltas, batch.weights);
         return {.loss = loss.classes + loss.boxes * kBoxWeight};
       },
       .lr = siamrpn_lr(plan.lr, plan.epochs, per_epoch),
       .epochs = plan.epochs,
       .batch = plan.batch,
       .rng = plan.rng,
       .device = plan.device,
       .clip_norm = plan.clip});
  const kit::TrainingSpan span{.epochs = plan.epochs,
                               .measure =
                                   [&](std::int64_t) {
                                     NetTracker tracker(net, recipe, plan.device);
                                     return judge(tracker, sets.val, {.resets = false}).auc();
                                   },
                               .patience = plan.patience,
                               .on_best = listeners.on_best,
                               .on_point = listeners.on_point,
                               .on_epoch = listeners.on_epoch};
  const TrainingParts parts{.net = net, .optimizers = {{"sgd", sgd}}};
  return kit::train_timed(taken, parts, span, progress, checkpoint);
}

}  // namespace pliant::track
