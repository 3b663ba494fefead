#include <pliant/apps/track/table_run.h>

#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kFrameCost = 0.3;  // following for a frame, in pairs trained on

}  // namespace

TableRuns::TableRuns(const TableOptions& options, const VideoSets& sets, Device device)
    : options_(options), sets_(sets), device_(device) {
  require(
      !judged().empty(), sets.source,
      ": has no test set to judge on; --on val judges on the sequences that nets are chosen by");
}

double TableRuns::cost() const {
  const TrainingPlan plan = options_.common.plan_of(1, device_);
  std::int64_t frames = 0;
  for (const Video& video : judged()) frames += 2 * video.size();
  return static_cast<double>(plan.epochs) * static_cast<double>(plan.pairs.pairs) +
         kFrameCost * static_cast<double>(frames);
}

Run TableRuns::named(const std::string& preset, const std::string& arm, std::uint64_t seed) const {
  return {.preset = preset,
          .arm = arm,
          .seed = seed,
          .commit = options_.commit,
          .command = options_.command,
          .recipe = {},
          .judged_on = options_.on_val ? "val" : "test"};
}

bool TableRuns::read(Run& run) const {
  const std::filesystem::path file = file_of(run, ".json");
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return false;
  Run there = read_run(file);
  kit::require_same_recipe(file, there.recipe, run.recipe);
  run = std::move(there);
  return true;
}

Trained TableRuns::trained(const Run& run, const NetRecipe& recipe, const TrainingPlan& plan,
                           kit::Progress& progress) const {
  const TrainOptions& options = options_.common;
  const std::unique_ptr<SiamRPN> net = options.net_of(recipe, run.seed, device_);
  kit::Checkpoint checkpoint(file_of(run, ".checkpoint"), kit::recipe_from(Json::parse(run.recipe)),
                             options.checkpoint_seconds);
  const bool keeps_best = options.keep == "best";
  Trained result = train(*net, recipe, sets_, plan, progress, &checkpoint,
                         {.on_best =
                              [&] {
                                if (keeps_best) save_net(weights_of(run), *net, recipe);
                              },
                          .on_point = {},
                          .on_epoch = {}});
  if (!keeps_best) save_net(weights_of(run), *net, recipe);
  return result;
}

Run TableRuns::run(const std::string& arm, std::uint64_t seed, kit::Progress& progress) const {
  const TrainOptions& options = options_.common;
  const NetRecipe recipe = options.recipe_of(arm);
  const TrainingPlan plan = options.plan_of(seed, device_);
  Json of = options.json_of(recipe, plan, sets_, seed);
  of["judged"] = {options_.on_val ? "val" : "test", judged().size()};
  Run run = named(options.preset, arm, seed);
  run.recipe = kit::dump_json(of);
  if (read(run)) {
    progress.skip(cost());
    return run;
  }
  progress.stage(run.name());
  Trained result = trained(run, recipe, plan, progress);
  run.training = std::move(result.training);
  run.step_seconds = result.step_seconds;
  run.best_epoch = kit::best_of(run.training.epochs).epoch;
  const LoadedNet kept = load_net(weights_of(run));
  kept.net->to(device_);
  run.parameters = kept.net->parameter_count();
  NetTracker tracker(*kept.net, kept.recipe, device_);
  run.judgement = judge(tracker, judged(), {.on_video = [&](std::int64_t frames) {
                          kit::stop_if_asked();
                          progress.advance(kFrameCost * 2 * static_cast<double>(frames), "judging");
                        }});
  write_run(file_of(run, ".json"), run);
  TrainingCheckpoint(file_of(run, ".checkpoint"), {}).remove();
  progress.clear();
  std::cout << run.name() << ": AUC " << fixed(run.judgement.auc(), 3) << ", precision "
            << fixed(run.judgement.precision(), 3) << ", " << run.judgement.failures()
            << " failures, " << grouped(run.training.images_seen) << " pairs in "
            << kit::clock_time(run.training.seconds) << std::endl;
  return run;
}

Run TableRuns::trivial(const std::string& name) const {
  Run run = named(kNoNet, name, 0);
  run.recipe = kit::dump_json(Json{
      {"tracker", name}, {"data", sets_.source}, {"judged", {run.judged_on, judged().size()}}});
  if (read(run)) return run;
  const std::unique_ptr<Tracker> tracker = trivial_tracker(name);
  run.judgement =
      judge(*tracker, judged(), {.on_video = [](std::int64_t) { kit::stop_if_asked(); }});
  write_run(file_of(run, ".json"), run);
  return run;
}

}  // namespace pliant::track
