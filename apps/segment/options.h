// What the commands of pliant-segment that train have in common: their options, and what follows
// from these for a net.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/segment/training.h>

namespace pliant::segment {

struct TrainOptions {
  kit::ComputeOptions compute;
  std::string data, bad_files = "stop", pretrained;
  bool example = false;
  DataOptions data_options;
  std::string deform = "dcn1";
  std::int64_t stride = 16;
  // The preset's where nothing is given.
  std::optional<std::int64_t> epochs, batch, crop_height, crop_width;
  std::optional<double> lr, trunk_rate;
  TrainingPlan plan;
  double checkpoint_seconds = 60;

  void add_to(CLI::App& app);

  // DATA or the example; tells what it is.
  PictureSets open_sets() const;
  NetRecipe recipe_of(const std::string& preset, const std::string& arm,
                      const PictureSets& sets) const;
  TrainingPlan plan_of(const NetRecipe& recipe, std::uint64_t seed, Device device) const;
  // A net with its first values, or those of --pretrained; the same for every arm and seed as far
  // as they have the same parts.
  std::unique_ptr<DeepLabV3Plus> net_of(const NetRecipe& recipe, std::uint64_t seed,
                                        Device device) const;
  // What decides the bits of a training.
  nlohmann::ordered_json json_of(const NetRecipe& recipe, const TrainingPlan& plan,
                                 const PictureSets& sets, std::uint64_t seed) const;
};

}  // namespace pliant::segment
