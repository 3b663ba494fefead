// Training and measuring a digit net.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <pliant/apps/mnist/nets.h>
#include <pliant/apps/mnist/progress.h>
#include <pliant/data/images.h>
#include <pliant/data/transforms.h>

namespace pliant {

struct TrainingPlan {
  std::int64_t epochs = 1;
  std::int64_t batch = 64;
  double lr = 1e-3;                          // the one-cycle schedule's peak
  std::optional<ScaleAugmentation> augment;  // drawn anew for every picture and epoch
  Rng rng = Rng(0);
  Device device;
};

// What a training took.
struct Effort {
  std::int64_t images = 0;
  double seconds = 0;
  double wait_seconds = 0;  // of it, waiting for the loader
};

// Trains the net's unfrozen parameters with Adam on a one-cycle schedule; cross-entropy. Advances
// `progress` by `cost` per image.
Effort train(DigitNet& net, const LabelledImages& set, const TrainingPlan& plan, double cost,
             Progress& progress);

// Share of the images (float32 [N 28 28 1]) that the net labels right; `advance` hears how many
// were looked at.
double accuracy(const DigitNet& net, const LabelledImages& set, Device device,
                const std::function<void(std::int64_t)>& advance = {});

// The pictures that a net is measured on: as they are, and scaled once by a seed of their own.
struct TestSets {
  LabelledImages plain, scaled;
};
TestSets make_test_sets(const LabelledImages& test);

}  // namespace pliant
