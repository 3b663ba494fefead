#include <pliant/apps/detect/runs.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/core/nearest.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "pliant-detect run 1";
constexpr const char* kMeasured = "val_ap";
constexpr const char* kPyramid = "fpn";
constexpr std::int64_t kMostClasses = 10000, kMostPictures = 1 << 24;

// [picture, label, x1, y1, x2, y2, last]: a score, or whether the box is left out.
Json row_of(std::int64_t image, std::int64_t label, const Corners& box, double last) {
  return {image, label, box[0], box[1], box[2], box[3], last};
}

struct BoxRow {
  std::int64_t image, label;
  Corners box;
  double last;
};

std::vector<BoxRow> rows_in(const Json& json, const char* key, const Run& run) {
  constexpr double kFarthest = 1e9;
  std::vector<BoxRow> rows;
  for (const Json& row : kit::take_list(json, key)) {
    if (!row.is_array() || row.size() != 7) kit::fail_type(key, row, "seven numbers");
    BoxRow of{kit::count_of(key, row[0], static_cast<std::int64_t>(run.ids.size()) - 1),
              kit::count_of(key, row[1], static_cast<std::int64_t>(run.classes.size()) - 1),
              {},
              kit::number_of(key, row[6], 0, 1)};
    for (std::size_t i = 0; i < 4; ++i)
      of.box[i] = kit::number_of(key, row[2 + i], -kFarthest, kFarthest);
    rows.push_back(of);
  }
  return rows;
}

void take_boxes(const Json& json, Run& run) {
  run.ids = kit::take_texts(json, "pictures");
  require(!run.ids.empty() && run.ids.size() <= kMostPictures, "pictures: there are ",
          run.ids.size());
  std::vector<TrueBox> truth;
  std::vector<FoundBox> found;
  for (const BoxRow& row : rows_in(json, "truth", run))
    truth.push_back({.image = row.image,
                     .label = row.label,
                     .box = row.box,
                     .difficult = row.last != 0,
                     .crowd = row.last != 0});
  for (const BoxRow& row : rows_in(json, "found", run))
    found.push_back({.image = row.image, .label = row.label, .box = row.box, .score = row.last});
  run.judgement = judgement_of(std::move(truth), std::move(found),
                               static_cast<std::int64_t>(run.ids.size()), run.classes.size());
}

void take_moved(const Json& json, Run& run) {
  for (const Json& score : kit::take_list(json, "robustness"))
    run.moved.push_back({.kind = kit::take_text(score, "kind"),
                         .level = kit::take_number(score, "level", -1000, 1000),
                         .ap = kit::take_share(score, "ap"),
                         .ap50 = kit::take_share(score, "ap50"),
                         .trained = kit::take_flag(score, "trained")});
}

Run run_from(const Json& json) {
  require(kit::take_text(json, "format") == kFormat, "format is ", kit::take_text(json, "format"),
          ", expected ", kFormat);
  Run run;
  run.preset = kit::take_choice(json, "preset", preset_names());
  run.arm = arm_from(kit::take_text(json, "arm"));
  run.seed = kit::take_seed(json, "seed");
  run.commit = kit::take_text(json, "commit");
  run.command = kit::take_long_text(json, "command");
  run.recipe = kit::dump_json(kit::take_object(json, "recipe"));
  run.judged_on = kit::take_choice(json, "judged_on", {"test", "val"});
  run.classes = kit::take_texts(json, "classes");
  require(!run.classes.empty() && run.classes.size() <= kMostClasses, "classes: there are ",
          run.classes.size(), ", expected 1 to ", kMostClasses);
  run.parameters = kit::take_count(json, "parameters");
  run.step_seconds = kit::take_number(json, "step_seconds", 0);
  run.moved_mean = kit::take_number(json, "bins_moved_mean", 0);
  run.best_epoch = kit::take_count(json, "best_epoch");
  run.training = kit::training_from(kit::take_object(json, "training"), kMeasured);
  take_moved(json, run);
  take_boxes(json, run);
  return run;
}

}  // namespace

std::string TableArm::name() const {
  return (pyramid ? std::string(kPyramid) : arm) + (warped ? "+warp" : "");
}

TableArm arm_from(const std::string& text) {
  const std::string warp = "+warp";
  TableArm of{.arm = text, .warped = text.ends_with(warp)};
  if (of.warped) of.arm.resize(of.arm.size() - warp.size());
  if (of.arm == kPyramid) return {.arm = "align", .pyramid = true, .warped = of.warped};
  const std::vector<std::string>& arms = arm_names();
  require(std::find(arms.begin(), arms.end(), of.arm) != arms.end(), "--arms: there is no arm '",
          of.arm, "'; did you mean ", nearest_name(of.arm, arms), '?');
  return of;
}

std::string Run::name() const {
  std::string text = preset + '-' + arm.name() + "-seed" + std::to_string(seed);
  std::replace(text.begin(), text.end(), '+', '-');
  return text;
}

Json json_of(const Run& run) {
  Json moved = Json::array(), truth = Json::array(), found = Json::array();
  for (const MovedScore& score : run.moved)
    moved.push_back({{"kind", score.kind},
                     {"level", score.level},
                     {"ap", score.ap},
                     {"ap50", score.ap50},
                     {"trained", score.trained}});
  for (const TrueBox& box : run.judgement.truth)
    truth.push_back(row_of(box.image, box.label, box.box, box.difficult ? 1 : 0));
  for (const FoundBox& box : run.judgement.found)
    found.push_back(row_of(box.image, box.label, box.box, box.score));
  const NetRecipe named{.classes = run.classes};
  return {{"format", kFormat},
          {"preset", run.preset},
          {"arm", run.arm.name()},
          {"seed", run.seed},
          {"commit", run.commit},
          {"command", run.command},
          {"recipe", Json::parse(run.recipe)},
          {"judged_on", run.judged_on},
          {"figures", json_of(run.judgement, named)},
          {"parameters", run.parameters},
          {"step_seconds", run.step_seconds},
          {"bins_moved_mean", run.moved_mean},
          {"best_epoch", run.best_epoch},
          {"classes", run.classes},
          {"robustness", moved},
          {"training", kit::json_of(run.training, kMeasured)},
          {"pictures", run.ids},
          {"truth", truth},
          {"found", found}};
}

Run read_run(const std::filesystem::path& file) {
  return kit::naming(
      file, [&] { return run_from(kit::read_json(file, "a run of pliant-detect table")); });
}

void write_run(const std::filesystem::path& file, const Run& run) {
  kit::write_json("--checkpoint", file, json_of(run));
}

std::vector<Run> read_runs(const std::filesystem::path& folder) {
  std::vector<Run> runs;
  for (const auto& file : kit::files_in(folder, ".json")) runs.push_back(read_run(file));
  return runs;
}

}  // namespace pliant::detect
