// How pliant-segment trains.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/timed_steps.h>
#include <pliant/apps/segment/inputs.h>

namespace pliant::segment {

struct TrainingPlan {
  std::int64_t epochs = 60, batch = 8;
  double lr = 0.05;          // of the head at the first step
  double trunk_rate = 1;     // of the trunk, times that
  double branch_rate = 0.1;  // of deformable branches, times their layer's
  double power = 0.9;        // rate (1 - step / steps)^power
  double momentum = 0.9, weight_decay = 5e-4;
  double clip = 10;             // largest norm of a step's gradients; 0: any
  std::int64_t accumulate = 1;  // batches a step
  bool class_weights = false;   // rare classes count more, by the logarithm of their share
  bool freeze_batch_norm = false;
  Augmentation augment = {};
  std::int64_t patience = 0;  // epochs without a better one before the end; 0: to the end
  Rng rng = Rng(0);
  Device device = {};
  std::optional<DType> activations = {};
  std::int64_t loaders = 1;  // threads that read pictures
};

using kit::Listeners;
using kit::Trained;

// Trains the net's unfrozen parameters by gradient descent with momentum; after every epoch it is
// measured on val: EpochPoint::measured is the mean IoU there.
Trained train(DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners);

}  // namespace pliant::segment
