// Checkpoint: a training under way in a file, from which it goes on bit for bit.
#pragma once

#include <chrono>
#include <filesystem>

#include <pliant/apps/mnist/classifier.h>
#include <pliant/apps/mnist/results.h>

namespace pliant {

// Where a training stands, besides its net and its optimizer.
struct TrainingState {
  std::int64_t step = 0;  // steps done
  double loss_mean = 0;   // running, for the progress line
  // Since the last point of the curve.
  double loss_sum = 0;
  std::int64_t steps = 0, images = 0, right = 0;
  Training training;
};

// A safetensors file with net, optimizer and state, written whole or not at all and protected by a
// checksum. `recipe` is all that decides the training's bits: a file of another recipe is an Error.
class Checkpoint {
 public:
  Checkpoint(std::filesystem::path file, const nlohmann::ordered_json& recipe,
             double every_seconds);

  // Whether `every_seconds` have passed since the last try to save, or since the start.
  bool due() const;
  void save(const Classifier& net, const Optimizer& optimizer, const TrainingState& state);
  // Fills net, optimizer and state and returns true; false, with nothing changed, if there is no
  // file. A damaged or foreign one is an Error.
  bool load(Classifier& net, Optimizer& optimizer, TrainingState& state) const;
  void remove() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::filesystem::path file_;
  nlohmann::ordered_json recipe_;  // as a file gives it back
  double every_seconds_;
  Clock::time_point saved_ = Clock::now();
};

// An Error if something other than a checkpoint stands at `file`; fine if nothing does.
void require_checkpoint(const std::filesystem::path& file);

}  // namespace pliant
