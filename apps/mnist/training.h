// Training and measuring a net that labels images.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <pliant/apps/kit/checkpoint.h>
#include <pliant/apps/kit/confusion.h>
#include <pliant/apps/kit/progress.h>
#include <pliant/apps/kit/ranks.h>
#include <pliant/apps/mnist/classifier.h>
#include <pliant/data/batches.h>
#include <pliant/data/transforms.h>

namespace pliant::mnist {

struct TrainingPlan {
  std::int64_t epochs = 1;
  std::int64_t batch = 64;
  double lr = 1e-3;  // the one-cycle schedule's peak
  double weight_decay = 0;
  std::optional<ScaleAugmentation> augment = {};  // drawn anew for every image and epoch
  Rng rng = Rng(0);
  Device device = {};
  std::optional<DType> activations = {};  // bfloat16: mixed precision
  // If given, after every epoch: the accuracy to be told of.
  std::function<double(std::int64_t epochs)> measure = {};
  kit::RankPlan ranks = {};
};

// The first `count` images of a set; all where there are no more, or count is 0.
LabelledImages first_images(const LabelledImages& set, std::int64_t count);

// How a plan cuts a set into batches: shuffled, and scaled if it says so.
BatchOptions batch_options(const TrainingPlan& plan);

// Trains the net's unfrozen parameters with Adam on a one-cycle schedule; cross-entropy. Advances
// `progress` by `cost` per image; see kit::train for the checkpoint. On a GPU the steps are
// captured and replayed (train_captured); on several ranks they are shared, and not captured.
kit::Training train(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                    double cost, kit::Progress& progress, kit::Checkpoint* checkpoint = nullptr);
// The same on any device: the set lives there, batches are picked and scaled there.
kit::Training train_captured(Classifier& net, const LabelledImages& set, const TrainingPlan& plan,
                             double cost, kit::Progress& progress,
                             kit::Checkpoint* checkpoint = nullptr);

// Runs one epoch as training would, gradients and parameters left out: BatchNorm's statistics
// become those of these images.
kit::Training reestimate_statistics(Classifier& net, const LabelledImages& set,
                                    const TrainingPlan& plan, double cost, kit::Progress& progress);

// Else they are no answer: among NaNs none is the largest.
bool all_finite(const std::vector<double>& logits);
// How the net labels the images (float32 [N H W 1]); `advance` hears how many were looked at.
// Logits that are not finite and labels that the net does not know are Errors.
kit::Confusion confusion(const Classifier& net, const LabelledImages& set, Device device,
                         const std::function<void(std::int64_t)>& advance = {});
// The share on the diagonal.
double accuracy(const kit::Confusion& confusion);
double accuracy(const Classifier& net, const LabelledImages& set, Device device,
                const std::function<void(std::int64_t)>& advance = {});

// The images that a net is measured on: as they are, and scaled once by a seed of their own.
struct TestSets {
  LabelledImages plain, scaled;
};
TestSets make_test_sets(const LabelledImages& test);
// Draw number `draw` of the scaled test set; 0 is TestSets::scaled.
LabelledImages scaled_test_set(const LabelledImages& test, std::int64_t draw);

}  // namespace pliant::mnist
