// The table: a regular net trained once, then fine-tuned on scaled digits in several ways, its
// deformable twins among them; for one or more seeds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/mnist/ledger.h>
#include <pliant/apps/mnist/rows.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/data/mnist.h>

namespace pliant::mnist {

struct ExperimentOptions {
  std::string preset = "standard";
  std::int64_t epochs = 3, finetune_epochs = 3;
  std::int64_t batch = 64;
  double lr = 3e-3;                 // peak, of the regular net on plain digits
  double finetune_lr = 0;           // peak, of every fine-tuned row; 0: each row's own
  double deformable_lr_factor = 1;  // on a deformable row's own
  std::int64_t train_images = 0;    // at most so many; 0: all
  std::vector<std::uint64_t> seeds = {1};
  std::vector<RowKind> rows;
  Device device;
  std::string precision = "float32";  // or "tf32", "bfloat16"
  std::string base;       // file of a trained regular net to start from; empty: one is trained
  bool validate = false;  // measure on 5,000 held-out training images, not on the test set
  std::int64_t test_draws = 1;  // draws of the scaled test set
  LedgerOptions ledger;
};

// Expected cost of looking at an image over that of training on it, for progress.
constexpr double kMeasuring = 0.35;

// What is trained and measured on. With `validate`, training images in both places.
ImageSets sets_of(const DigitSet& digits, const ExperimentOptions& options);
// Of a tensor's bytes: which images a recipe is about.
std::uint32_t checksum(const Tensor& tensor);

struct ExperimentEvents {
  // A row is done, or was done by an earlier run.
  std::function<void(const RowResult&, bool earlier)> row = [](const RowResult&, bool) {};
};

// Runs every row for every seed and returns them with what the ledger's folder held already.
Results run_experiment(const DigitSet& digits, const ExperimentOptions& options,
                       const ExperimentEvents& events = {});

}  // namespace pliant::mnist
