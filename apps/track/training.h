// How pliant-track trains.
#pragma once

#include <cstdint>
#include <functional>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/timed_steps.h>
#include <pliant/apps/track/inputs.h>
#include <pliant/layers/train/schedule.h>

namespace pliant::track {

struct TrainingPlan {
  std::int64_t epochs = 20, batch = 16;
  double lr = 0.005;  // the schedule's peak
  double momentum = 0.9, weight_decay = 1e-4;
  double branch_rate = 0.1;  // of branches that deform, times the rate
  double clip = 10;          // largest norm of a step's gradients; 0: any
  PairOptions pairs = {};
  std::int64_t patience = 0;  // epochs without a better one before the end; 0: to the end
  Rng rng = Rng(0);
  Device device = {};
  std::int64_t loaders = 1;  // threads that make pairs
};

// pysot's, by steps: over the first quarter of the epochs from a fifth of `peak` to it, then evenly
// in logarithms to a tenth.
Schedule siamrpn_lr(double peak, std::int64_t epochs, std::int64_t steps_per_epoch);

using kit::Listeners;
using kit::Trained;

// Trains the net's unfrozen parameters by SGD. After every epoch it is measured on val:
// EpochPoint::measured is the AUC of one pass there.
Trained train(SiamRPN& net, const NetRecipe& recipe, const VideoSets& sets,
              const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
              const Listeners& listeners);

}  // namespace pliant::track
