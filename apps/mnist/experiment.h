// The table: a regular net trained once, then fine-tuned on scaled digits in several ways, its
// deformable twins among them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <pliant/apps/mnist/training.h>
#include <pliant/data/mnist.h>

namespace pliant {

enum class Statistics : unsigned char { stay, move };  // BatchNorm's, in fine-tuning

// One way to fine-tune. `trained` are patterns of parameter and module paths; all else is frozen.
struct RowKind {
  std::string key;       // as in --rows: "none", "bn", "all", "offsets", "offsets+bn", "deform-all"
  bool deformable;       // the deformable twin, or the regular net
  std::string finetune;  // as in the table
  std::vector<std::string> trained;
  Statistics statistics;
  double lr;  // peak learning rate, chosen on held-out images; 0: nothing trains
};

const std::vector<RowKind>& row_kinds();
// "none,bn,offsets" -> the kinds; an Error that lists the keys for any other.
std::vector<RowKind> rows_from(const std::string& comma_separated);

struct ExperimentOptions {
  std::string preset = "standard";
  std::int64_t epochs = 3, finetune_epochs = 3;
  std::int64_t batch = 64;
  double lr = 3e-3;               // peak, of the regular net on plain digits
  double finetune_lr = 0;         // peak, of every fine-tuned row; 0: each row's own
  std::int64_t train_images = 0;  // at most so many; 0: all
  std::uint64_t seed = 1;
  Deform deform = Deform::dcn2;
  std::vector<RowKind> rows;
  Device device;
  std::string base;       // file of a trained regular net to start from; empty: one is trained
  bool validate = false;  // measure on 5,000 held-out training images, not on the test set
  std::string save_to;    // folder for the trained nets; empty: they are not kept
};

struct RowResult {
  std::string model, deform, finetune;  // deform is empty for the regular net
  double mnist = 0, scaled = 0;         // accuracies
  std::int64_t trained_parameters = 0, images_seen = 0;
  double seconds = 0, wait_seconds = 0;
  std::int64_t frozen_tensors = 0;  // found unchanged, byte for byte

  double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images_seen) / seconds : 0;
  }
};

// Runs every row; calls `on_row` as each is done.
std::vector<RowResult> run_experiment(const DigitSet& digits, const ExperimentOptions& options,
                                      const std::function<void(const RowResult&)>& on_row);

}  // namespace pliant
