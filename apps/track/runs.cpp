#include <pliant/apps/track/runs.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/json_text.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "pliant-track run 1";
constexpr const char* kMeasured = "val_auc";
constexpr double kFarthest = 1e9;

// JSON has no NaN: a frame without an overlap is null.
Json json_of(const VideoScore& video) {
  Json overlaps = Json::array();
  for (const double overlap : video.resets.overlaps)
    overlaps.push_back(std::isnan(overlap) ? Json() : Json(overlap));
  return {{"name", video.name},
          {"absent", video.absent},
          {"auc", video.auc},
          {"precision", video.precision},
          {"failures", video.resets.failures},
          {"starts", video.resets.starts},
          {"overlaps", overlaps},
          {"boxes", video.boxes}};
}

VideoScore video_from(const Json& json) {
  VideoScore video{.name = kit::take_text(json, "name"), .boxes = {}};
  video.absent = kit::take_count(json, "absent");
  video.auc = kit::take_share(json, "auc");
  video.precision = kit::take_share(json, "precision");
  video.resets.failures = kit::take_count(json, "failures");
  const Json &overlaps = kit::take_list(json, "overlaps"), &starts = kit::take_list(json, "starts");
  for (const Json& overlap : overlaps)
    video.resets.overlaps.push_back(overlap.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                      : kit::number_of("overlaps", overlap, 0, 1));
  const auto last = static_cast<std::int64_t>(overlaps.size()) - 1;
  for (const Json& start : starts)
    video.resets.starts.push_back(kit::count_of("starts", start, last));
  require(!starts.empty() && std::is_sorted(video.resets.starts.begin(), video.resets.starts.end()),
          "starts: are not ascending, or there is none");
  for (const Json& box : kit::take_list(json, "boxes")) {
    if (!box.is_array() || box.size() != 4) kit::fail_type("boxes", box, "four numbers");
    TrackedBox of{};
    for (std::size_t i = 0; i < 4; ++i)
      of[i] = kit::number_of("boxes", box[i], -kFarthest, kFarthest);
    video.boxes.push_back(of);
  }
  return video;
}

Run run_from(const Json& json) {
  require(kit::take_text(json, "format") == kFormat, "format is ", kit::take_text(json, "format"),
          ", expected ", kFormat);
  Run run;
  run.preset = kit::take_text(json, "preset");
  run.arm = kit::take_text(json, "arm");
  run.seed = kit::take_seed(json, "seed");
  run.commit = kit::take_text(json, "commit");
  run.command = kit::take_long_text(json, "command");
  run.recipe = kit::dump_json(kit::take_object(json, "recipe"));
  run.judged_on = kit::take_choice(json, "judged_on", {"test", "val"});
  run.parameters = kit::take_count(json, "parameters");
  run.step_seconds = kit::take_number(json, "step_seconds", 0);
  run.best_epoch = kit::take_count(json, "best_epoch");
  run.training = kit::training_from(kit::take_object(json, "training"), kMeasured);
  run.judgement.seconds = kit::take_number(json, "tracking_seconds", 0);
  run.judgement.frames = kit::take_count(json, "tracked_frames");
  for (const Json& video : kit::take_list(json, "videos"))
    run.judgement.videos.push_back(video_from(video));
  require(!run.judgement.videos.empty(), "videos: there is none");
  return run;
}

}  // namespace

std::string Run::name() const {
  return preset + '-' + arm + (preset == kNoNet ? "" : "-seed" + std::to_string(seed));
}

Json json_of(const Run& run) {
  Json videos = Json::array();
  for (const VideoScore& video : run.judgement.videos) videos.push_back(json_of(video));
  return {{"format", kFormat},
          {"preset", run.preset},
          {"arm", run.arm},
          {"seed", run.seed},
          {"commit", run.commit},
          {"command", run.command},
          {"recipe", Json::parse(run.recipe)},
          {"judged_on", run.judged_on},
          {"figures", json_of(run.judgement)},
          {"parameters", run.parameters},
          {"step_seconds", run.step_seconds},
          {"best_epoch", run.best_epoch},
          {"tracking_seconds", run.judgement.seconds},
          {"tracked_frames", run.judgement.frames},
          {"training", kit::json_of(run.training, kMeasured)},
          {"videos", videos}};
}

Run read_run(const std::filesystem::path& file) {
  return kit::naming(file,
                     [&] { return run_from(kit::read_json(file, "a run of pliant-track table")); });
}

void write_run(const std::filesystem::path& file, const Run& run) {
  kit::write_json("--checkpoint", file, json_of(run));
}

std::vector<Run> read_runs(const std::filesystem::path& folder) {
  std::vector<Run> runs;
  for (const auto& file : kit::files_in(folder, ".json")) runs.push_back(read_run(file));
  return runs;
}

}  // namespace pliant::track
