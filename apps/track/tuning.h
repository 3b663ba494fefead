// The penalties of a tracker, tried out on sequences: which ones a net follows best with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/progress.h>
#include <pliant/apps/track/judge.h>
#include <pliant/core/random.h>

namespace pliant::track {

// Three of TrackingOptions, and how well a net follows with them.
struct Try {
  double penalty = 0, window = 0, rate = 0;
  double auc = 0, precision = 0;  // of one pass
};

// Try 0 is what the recipe has; the others are drawn by key, each by its number alone.
Try drawn_try(std::int64_t number, const NetRecipe& recipe, const Rng& rng);
NetRecipe with(NetRecipe recipe, const Try& tried);
// The one with the best AUC, the first of equals: what a net had, unless another is better.
const Try& best_of(const std::vector<Try>& tries);

// Tries in a file, each there as soon as it was made.
class TryFile {
 public:
  // `recipe`: what decides them, as JSON.
  TryFile(std::filesystem::path file, std::string recipe);

  // None where there is no file. One of another recipe is an Error.
  std::vector<Try> read() const;
  void write(const std::vector<Try>& tries) const;
  void remove() const;

 private:
  std::filesystem::path file_;
  std::string recipe_;
};

// Makes those of `count` that `done` lacks, in order, and adds them to it and to the file.
void tune(const SiamRPN& net, const NetRecipe& recipe, const Videos& videos, std::int64_t count,
          const Rng& rng, Device device, std::vector<Try>& done, const TryFile& file,
          kit::Progress& progress);

nlohmann::ordered_json json_of(const Try& tried);
std::string table_of(const std::vector<Try>& tries);  // for a terminal, the best one last

}  // namespace pliant::track
