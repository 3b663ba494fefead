#include <pliant/apps/segment/runs.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/segment/nets.h>
#include <pliant/core/nearest.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "pliant-segment run 1";
constexpr double kLargeShare = 0.03;
constexpr const char* kMeasured = "val_mean_iou";
constexpr std::int64_t kMostClasses = 255;

const std::vector<std::string>& deform_names() {
  static const std::vector<std::string> names = {"dcn1", "dcn2", "dcn3", "dcn4"};
  return names;
}

bool replaces(const std::string& arm) { return arm == "replace" || arm == "replace-fixed"; }

std::vector<std::int64_t> counts_in(const Json& json, const char* key, std::size_t classes) {
  std::vector<std::int64_t> counts;
  for (const Json& count : kit::take_list(json, key)) counts.push_back(kit::count_of(key, count));
  require(counts.size() == classes, key, " has ", counts.size(), " counts of ", classes,
          " classes");
  return counts;
}

Json pictures_of(const Run& run) {
  Json pictures = Json::array();
  for (std::size_t i = 0; i < run.ids.size(); ++i)
    pictures.push_back({{"id", run.ids[i]},
                        {"right", run.seen[i].right},
                        {"labels", run.seen[i].labels},
                        {"guesses", run.seen[i].guesses}});
  return pictures;
}

void take_pictures(const Json& json, Run& run) {
  for (const Json& picture : kit::take_list(json, "pictures")) {
    run.ids.push_back(kit::take_long_text(picture, "id"));
    ClassCounts counts(run.classes.size());
    counts.right = counts_in(picture, "right", run.classes.size());
    counts.labels = counts_in(picture, "labels", run.classes.size());
    counts.guesses = counts_in(picture, "guesses", run.classes.size());
    run.seen.push_back(std::move(counts));
  }
  require(!run.seen.empty(), "pictures: there is none");
}

void take_moved(const Json& json, Run& run) {
  for (const Json& score : kit::take_list(json, "robustness"))
    run.moved.push_back({.kind = kit::take_text(score, "kind"),
                         .level = kit::take_number(score, "level", -1000, 1000),
                         .mean_iou = kit::take_share(score, "mean_iou"),
                         .accuracy = kit::take_share(score, "accuracy"),
                         .trained = kit::take_flag(score, "trained")});
}

Run run_from(const Json& json) {
  require(kit::take_text(json, "format") == kFormat, "format is ", kit::take_text(json, "format"),
          ", expected ", kFormat);
  Run run;
  run.preset = kit::take_choice(json, "preset", preset_names());
  run.arm = arm_from(kit::take_text(json, "arm"), "dcn1");
  run.seed = kit::take_seed(json, "seed");
  run.commit = kit::take_text(json, "commit");
  run.command = kit::take_long_text(json, "command");
  run.recipe = kit::dump_json(kit::take_object(json, "recipe"));
  run.judged_on = kit::take_choice(json, "judged_on", {"test", "val"});
  run.classes = kit::take_texts(json, "classes");
  require(run.classes.size() >= 2 && run.classes.size() <= kMostClasses, "classes: there are ",
          run.classes.size(), ", expected 2 to ", kMostClasses);
  for (const Json& share : kit::take_list(json, "class_shares"))
    run.class_shares.push_back(kit::number_of("class_shares", share, 0, 1));
  require(run.class_shares.size() == run.classes.size(), "class_shares has ",
          run.class_shares.size(), " numbers of ", run.classes.size(), " classes");
  run.parameters = kit::take_count(json, "parameters");
  run.step_seconds = kit::take_number(json, "step_seconds", 0);
  run.moved_mean = kit::take_number(json, "offsets_mean", 0);
  run.moved_largest = kit::take_number(json, "offsets_largest", 0);
  run.best_epoch = kit::take_count(json, "best_epoch");
  run.training = kit::training_from(kit::take_object(json, "training"), kMeasured);
  kit::Confusion::Rows rows;
  const Json& confusion = kit::take_list(json, "confusion");
  for (const Json& row : confusion)
    rows.push_back(counts_in({{"confusion", row}}, "confusion", run.classes.size()));
  require(rows.size() == run.classes.size(), "confusion has ", rows.size(), " rows of ",
          run.classes.size(), " classes");
  run.confusion = kit::Confusion(std::move(rows));
  take_moved(json, run);
  take_pictures(json, run);
  return run;
}

}  // namespace

std::string TableArm::name() const {
  return arm + (replaces(arm) ? ":" + deform : "") + (warped ? "+warp" : "");
}

TableArm arm_from(const std::string& text, const std::string& deform) {
  const std::string warp = "+warp";
  TableArm of{.arm = text, .deform = deform, .warped = text.ends_with(warp)};
  if (of.warped) of.arm.resize(of.arm.size() - warp.size());
  if (const std::size_t colon = of.arm.find(':'); colon != std::string::npos) {
    of.deform = of.arm.substr(colon + 1);
    of.arm.resize(colon);
    require(replaces(of.arm), "--arms: ", of.arm, " is of no deformation, got '", text, "'");
  }
  const std::vector<std::string>&arms = arm_names(), &deforms = deform_names();
  require(std::find(arms.begin(), arms.end(), of.arm) != arms.end(), "--arms: there is no arm '",
          of.arm, "'; did you mean ", nearest_name(of.arm, arms), '?');
  require(std::find(deforms.begin(), deforms.end(), of.deform) != deforms.end(),
          "--arms: there is no deformation '", of.deform, "', expected dcn1, dcn2, dcn3 or dcn4");
  if (!replaces(of.arm)) of.deform = "dcn1";
  return of;
}

std::string Run::name() const {
  std::string text = preset + '-' + arm.name() + "-seed" + std::to_string(seed);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ':' || c == '+'; }, '-');
  return text;
}

std::vector<std::size_t> Run::large_classes() const {
  std::vector<std::size_t> large;
  for (std::size_t label = 0; label < class_shares.size(); ++label)
    if (class_shares[label] >= kLargeShare) large.push_back(label);
  return large;
}

Json json_of(const Run& run) {
  Json moved = Json::array();
  for (const MovedScore& score : run.moved)
    moved.push_back({{"kind", score.kind},
                     {"level", score.level},
                     {"mean_iou", score.mean_iou},
                     {"accuracy", score.accuracy},
                     {"trained", score.trained}});
  const ClassCounts total = run.total();
  return {{"format", kFormat},
          {"preset", run.preset},
          {"arm", run.arm.name()},
          {"seed", run.seed},
          {"commit", run.commit},
          {"command", run.command},
          {"recipe", Json::parse(run.recipe)},
          {"judged_on", run.judged_on},
          {"mean_iou", total.mean_iou()},
          {"mean_iou_of_large_classes", total.mean_iou(run.large_classes())},
          {"pixel_accuracy", total.accuracy()},
          {"parameters", run.parameters},
          {"step_seconds", run.step_seconds},
          {"offsets_mean", run.moved_mean},
          {"offsets_largest", run.moved_largest},
          {"best_epoch", run.best_epoch},
          {"classes", run.classes},
          {"class_shares", run.class_shares},
          {"robustness", moved},
          {"training", kit::json_of(run.training, kMeasured)},
          {"confusion", run.confusion},
          {"pictures", pictures_of(run)}};
}

Run read_run(const std::filesystem::path& file) {
  return kit::naming(
      file, [&] { return run_from(kit::read_json(file, "a run of pliant-segment table")); });
}

void write_run(const std::filesystem::path& file, const Run& run) {
  kit::write_json("--checkpoint", file, json_of(run));
}

std::vector<Run> read_runs(const std::filesystem::path& folder) {
  std::vector<Run> runs;
  for (const auto& file : kit::files_in(folder, ".json")) runs.push_back(read_run(file));
  return runs;
}

}  // namespace pliant::segment
