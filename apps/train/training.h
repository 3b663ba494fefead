// How pliant-train trains.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/ranks.h>
#include <pliant/apps/kit/training_record.h>
#include <pliant/apps/train/pictures.h>

namespace pliant::train {

struct TrainingPlan {
  std::int64_t epochs = 30;
  std::int64_t batch = 64;
  double lr = 2e-3;  // the one-cycle schedule's peak
  double weight_decay = 0.05;
  double label_smoothing = 0;
  bool class_weights = false;  // of the inverse of each class's share
  Augment augment = Augment::light;
  std::int64_t accumulate = 1;  // batches a step
  double clip = 1;              // largest norm of a step's gradients; 0: any
  double average = 0;           // decay of the weights' moving average; 0: none
  std::int64_t patience = 0;    // epochs without a better one before the end; 0: to the end
  double branch_rate = 0.1;     // of deformable branches, times the rate
  Rng rng = Rng(0);
  Device device = {};
  std::optional<DType> activations = {};
  std::int64_t loaders = 2;  // threads that read pictures
  kit::RankPlan ranks = {};
};

using kit::Listeners;

// Trains the net's unfrozen parameters with AdamW on a one-cycle schedule; after every epoch it is
// measured on val: EpochPoint::measured is the accuracy there, of the averaged weights if there are
// any, which on_best sees in the net, too. All ranks of the group call it; only the leading one's
// listeners are to write.
kit::Training train(kit::Classifier& net, const PictureSets& sets, const NetRecipe& recipe,
                    const TrainingPlan& plan, kit::Progress& progress, kit::Checkpoint* checkpoint,
                    const Listeners& listeners);

}  // namespace pliant::train
