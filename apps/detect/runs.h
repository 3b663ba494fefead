// Runs of a table, kept one by one: a JSON file for each with all that was measured, and beside it
// the net's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/detect/judge.h>
#include <pliant/apps/kit/training.h>

namespace pliant::detect {

// A row of the table: an arm, or the preset small-fpn, and whether training pictures are turned and
// sheared, which is what the same robustness costs without deformation.
struct TableArm {
  std::string arm = "align";
  bool pyramid = false, warped = false;

  std::string name() const;  // "pool-stage", "fpn", "align+warp"
  friend bool operator==(const TableArm&, const TableArm&) = default;
};
TableArm arm_from(const std::string& text);  // an Error with the nearest arm

// The score on test pictures that are all moved one way, the mean over the draws.
struct MovedScore {
  std::string kind;
  double level = 0, ap = 0, ap50 = 0;
  bool trained = false;  // training pictures were moved so, too
};

struct Run {
  std::string preset;
  TableArm arm;
  std::uint64_t seed = 1;
  std::string commit, command, recipe;  // recipe: JSON of what decides its bits
  std::string judged_on;                // test or val
  std::vector<std::string> classes;
  std::int64_t parameters = 0;
  double step_seconds = 0;
  double moved_mean = 0;  // how far bins are moved, in shares of their region's sides
  std::int64_t best_epoch = 0;
  kit::Training training;
  std::vector<std::string> ids = {};  // of the pictures
  Judgement judgement = {};
  std::vector<MovedScore> moved = {};

  std::string name() const;  // "small-pool-stage-seed1": of its files
};

nlohmann::ordered_json json_of(const Run& run);
// Errors name the file.
Run read_run(const std::filesystem::path& file);
void write_run(const std::filesystem::path& file, const Run& run);
// Those in a folder, by name.
std::vector<Run> read_runs(const std::filesystem::path& folder);

}  // namespace pliant::detect
