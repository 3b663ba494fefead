// Runs of a table, kept one by one: a JSON file for each with all that was measured, and beside it
// the net's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/training.h>
#include <pliant/apps/segment/statistics.h>

namespace pliant::segment {

// A row of the table: an arm, what it deforms by, and whether its training pictures are turned and
// sheared, which is what the same robustness costs without deformation.
struct TableArm {
  std::string arm = "plain", deform = "dcn1";
  bool warped = false;

  std::string name() const;  // "replace:dcn2", "plain+warp"
  friend bool operator==(const TableArm&, const TableArm&) = default;
};
// Of "replace:dcn2"; an Error with the nearest arm. `deform` is for replace where nothing is said.
TableArm arm_from(const std::string& text, const std::string& deform);

// The score on test pictures that are all moved one way, over the draws.
struct MovedScore {
  std::string kind;
  double level = 0, mean_iou = 0, accuracy = 0;
  bool trained = false;  // training pictures were moved so, too
};

struct Run {
  std::string preset;
  TableArm arm;
  std::uint64_t seed = 1;
  std::string commit, command, recipe;  // recipe: JSON of what decides its bits
  std::string judged_on;                // test or val
  std::vector<std::string> classes;
  std::vector<double> class_shares;  // of the training pixels
  std::int64_t parameters = 0;       // trained ones
  double step_seconds = 0;
  double moved_mean = 0, moved_largest = 0;  // offsets, in pixels of their map
  std::int64_t best_epoch = 0;
  kit::Training training;
  std::vector<std::string> ids = {};  // of the pictures
  Seen seen = {};
  kit::Confusion confusion = kit::Confusion(0);
  std::vector<MovedScore> moved = {};

  std::string name() const;  // "small-replace-dcn2-seed1": of its files
  ClassCounts total() const { return ClassCounts(confusion); }
  // Classes of which at least 3 % of the training pixels are.
  std::vector<std::size_t> large_classes() const;
};

nlohmann::ordered_json json_of(const Run& run);
// Errors name the file.
Run read_run(const std::filesystem::path& file);
void write_run(const std::filesystem::path& file, const Run& run);
// Those in a folder, by name.
std::vector<Run> read_runs(const std::filesystem::path& folder);

}  // namespace pliant::segment
