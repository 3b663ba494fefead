// Checkpoint: a training under way in a file, with what it told so far; saved by time.
#pragma once

#include <chrono>
#include <filesystem>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/training.h>
#include <pliant/layers/train/training_checkpoint.h>

namespace pliant::kit {

// Where a training stands, besides its parts.
struct TrainingState {
  std::int64_t step = 0;              // steps done
  std::int64_t epoch = 0, batch = 0;  // of the next step's batch
  double loss_mean = 0;               // running, for the progress line
  // Since the last point of the curve.
  double loss_sum = 0;
  std::int64_t steps = 0, images = 0, right = 0;
  Training training;
};

// The options of a program as a recipe: every member with its value as JSON.
TrainingRecipe recipe_from(const nlohmann::ordered_json& options);

// See TrainingCheckpoint.
class Checkpoint {
 public:
  // One of a rank that does not lead is read and never written.
  Checkpoint(const std::filesystem::path& file, const TrainingRecipe& recipe, double every_seconds,
             bool leads = true)
      : file_(file, recipe), every_seconds_(every_seconds), leads_(leads) {}

  // Whether `every_seconds` have passed since the last try to save, or since the start.
  bool due() const;
  void save(const TrainingParts& parts, const TrainingState& state);
  // Fills parts and state and returns true; false, with nothing changed, if there is no file. A
  // damaged or foreign one is an Error, and so is one that `check`, if given, refuses by one.
  bool load(const TrainingParts& parts, TrainingState& state,
            const std::function<void(const TrainingState&)>& check = {}) const;
  void remove() const {
    if (leads_) file_.remove();
  }

 private:
  using Clock = std::chrono::steady_clock;
  TrainingCheckpoint file_;
  double every_seconds_;
  bool leads_;
  Clock::time_point saved_ = Clock::now();
};

// An Error that names `file`, which keeps a run made by the recipe `there`, if `here`, both as JSON, is
// another.
void require_same_recipe(const std::filesystem::path& file, const std::string& there,
                         const std::string& here);

}  // namespace pliant::kit
