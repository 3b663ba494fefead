// How pliant-detect trains.
#pragma once

#include <cstdint>
#include <functional>

#include <pliant/apps/detect/inputs.h>
#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/timed_steps.h>

namespace pliant::detect {

struct TrainingPlan {
  std::int64_t epochs = 40, batch = 4;
  double lr = 1e-3;  // the one-cycle schedule's peak
  double weight_decay = 0.05;
  double branch_rate = 0.1;     // of branches that deform, times the rate
  double clip = 10;             // largest norm of a step's gradients; 0: any
  std::int64_t accumulate = 1;  // batches a step
  bool freeze_batch_norm = false;
  Augmentation augment = {};
  std::int64_t patience = 0;  // epochs without a better one before the end; 0: to the end
  Rng rng = Rng(0);
  Device device = {};
  std::int64_t loaders = 1;  // threads that read pictures
};

using kit::Listeners;
using kit::Trained;

// Trains the net's unfrozen parameters by AdamW on a one-cycle schedule; candidates are drawn by key.
// After every epoch it is measured on val: EpochPoint::measured is COCO's AP there.
Trained train(FasterRCNN& net, const NetRecipe& recipe, const PictureSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners);

}  // namespace pliant::detect
