// Runs of a table, kept one by one: a JSON file for each with all that was measured, and beside it
// the net's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/training.h>
#include <pliant/apps/track/judge.h>

namespace pliant::track {

struct Run {
  std::string preset;  // kNoNet of a tracker without one
  std::string arm;     // or its name
  std::uint64_t seed = 0;
  std::string commit, command, recipe;  // recipe: JSON of what decides its bits
  std::string judged_on;                // test or val
  std::int64_t parameters = 0;
  double step_seconds = 0;
  std::int64_t best_epoch = 0;
  kit::Training training = {};
  Judgement judgement = {};

  std::string name() const;  // "small-replace-seed1": of its files
};
inline constexpr const char* kNoNet = "none";

nlohmann::ordered_json json_of(const Run& run);
// Errors name the file.
Run read_run(const std::filesystem::path& file);
void write_run(const std::filesystem::path& file, const Run& run);
// Those in a folder, by name.
std::vector<Run> read_runs(const std::filesystem::path& folder);

}  // namespace pliant::track
