// What the commands of pliant-track that train have in common: their options, and what follows from
// these for a net.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/track/training.h>

namespace pliant::track {

// DATA or the example, of any command.
struct SetOptions {
  std::string data, bad_files = "stop";
  bool example = false;
  DataOptions how;

  void add_to(CLI::App& app);
  BadFiles how_bad_files() const { return bad_files == "skip" ? BadFiles::skip : BadFiles::stop; }
  VideoSets open() const;  // tells what it is
};

struct TrainOptions {
  kit::ComputeOptions compute;
  SetOptions sets;
  std::string preset = "small", pretrained;
  std::vector<std::string> stills;  // folders
  // The preset's where nothing is given.
  std::optional<std::int64_t> pairs, epochs, batch;
  std::optional<double> lr;
  std::string keep = "best";
  TrainingPlan plan;
  double checkpoint_seconds = 60;

  void add_to(CLI::App& app);

  VideoSets open() const;  // with stills
  NetRecipe recipe_of(const std::string& arm) const { return {.preset = preset, .arm = arm}; }
  TrainingPlan plan_of(std::uint64_t seed, Device device) const;
  // A net with its first values, or those of --pretrained; the same for every arm as far as they
  // have the same parts.
  std::unique_ptr<SiamRPN> net_of(const NetRecipe& recipe, std::uint64_t seed, Device device) const;
  // What decides the bits of a training.
  nlohmann::ordered_json json_of(const NetRecipe& recipe, const TrainingPlan& of,
                                 const VideoSets& on, std::uint64_t seed) const;
};

}  // namespace pliant::track
