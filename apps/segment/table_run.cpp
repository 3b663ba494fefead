#include <pliant/apps/segment/table_run.h>

#include <iostream>
#include <numeric>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/segment/reading.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

// Of the arm "+warp": as far as the transforms go.
constexpr double kWarpRotate = 30, kWarpShear = 0.4;
// Looking at a whole picture costs about as much as a training step's share of it.
constexpr double kJudgeCost = 0.5;

std::vector<double> shares_of(const std::vector<std::int64_t>& pixels) {
  const auto all = static_cast<double>(
      std::max<std::int64_t>(1, std::accumulate(pixels.begin(), pixels.end(), std::int64_t{0})));
  std::vector<double> shares;
  for (const std::int64_t count : pixels) shares.push_back(static_cast<double>(count) / all);
  return shares;
}

}  // namespace

TableRuns::TableRuns(const TableOptions& options, const PictureSets& sets, Device device)
    : options_(options),
      sets_(sets),
      device_(device),
      class_shares_(shares_of(pixels_by_class(sets.train, sets.classes.size()))) {
  require(judged().size() > 0, sets.source,
          ": has no test set to judge on; --on val judges on the pictures that nets are chosen by");
}

std::vector<Transform> TableRuns::moves() const { return transforms(options_.draws); }

double TableRuns::cost_of(const std::string& preset, const TableArm& arm) const {
  const TrainingPlan plan = plan_of(recipe_of(preset, arm), arm, 1);
  return static_cast<double>(plan.epochs) * static_cast<double>(sets_.train.size()) +
         kJudgeCost * static_cast<double>(judged().size()) *
             static_cast<double>(1 + moves().size());
}

NetRecipe TableRuns::recipe_of(const std::string& preset, const TableArm& arm) const {
  NetRecipe recipe = options_.common.recipe_of(preset, arm.arm, sets_);
  recipe.deform = arm.deform;
  return recipe;
}

TrainingPlan TableRuns::plan_of(const NetRecipe& recipe, const TableArm& arm,
                                std::uint64_t seed) const {
  TrainingPlan plan = options_.common.plan_of(recipe, seed, device_);
  if (arm.warped) {
    plan.augment.rotate = kWarpRotate;
    plan.augment.shear = kWarpShear;
  }
  return plan;
}

Trained TableRuns::trained(const Run& run, const NetRecipe& recipe, const TrainingPlan& plan,
                           kit::Progress& progress) const {
  const std::unique_ptr<DeepLabV3Plus> net = options_.common.net_of(recipe, run.seed, device_);
  kit::Checkpoint checkpoint(file_of(run, ".checkpoint"), kit::recipe_from(Json::parse(run.recipe)),
                             options_.common.checkpoint_seconds);
  return train(*net, recipe, sets_, plan, progress, &checkpoint,
               {.on_best = [&] { save_net(weights_of(run), *net, recipe); },
                .on_point = {},
                .on_epoch = {}});
}

// On the judged pictures as they are, and moved.
void TableRuns::measure(Run& run, const TrainingPlan& plan, kit::Progress& progress) const {
  const LoadedNet best = load_net(weights_of(run));
  best.net->to(device_);
  const double cost = kJudgeCost * static_cast<double>(judged().size());
  const auto judged_on = [&](const PictureSet& set) {
    kit::stop_if_asked();
    Judgement judgement = judge(*best.net, best.recipe, set, {.device = device_});
    progress.advance(cost, "judging");
    return judgement;
  };
  Judgement clean = judged_on(judged());
  run.parameters = best.net->trainable_count();
  run.confusion = clean.confusion;
  run.seen = std::move(clean.pictures);
  for (std::int64_t i = 0; i < judged().size(); ++i) run.ids.push_back(judged().id(i));
  const Movement movement = movement_of(*best.net, best.recipe, judged(), device_);
  run.moved_mean = movement.mean;
  run.moved_largest = movement.largest;
  ClassCounts sum(run.classes.size());  // over the draws of one level
  const std::vector<Transform> all = moves();
  for (std::size_t i = 0; i < all.size(); ++i) {
    sum += judged_on(transformed(judged(), all[i], best.recipe)).total();
    if (i + 1 < all.size() && all[i + 1].kind == all[i].kind && all[i + 1].level == all[i].level)
      continue;
    run.moved.push_back({.kind = all[i].kind,
                         .level = all[i].level,
                         .mean_iou = sum.mean_iou(),
                         .accuracy = sum.accuracy(),
                         .trained = all[i].is_within(plan.augment)});
    sum = ClassCounts(run.classes.size());
  }
}

Run TableRuns::run(const std::string& preset, const TableArm& arm, std::uint64_t seed,
                   kit::Progress& progress) const {
  const NetRecipe recipe = recipe_of(preset, arm);
  const TrainingPlan plan = plan_of(recipe, arm, seed);
  Json of = options_.common.json_of(recipe, plan, sets_, seed);
  of["judged"] = {options_.on_val ? "val" : "test", judged().size(), options_.draws};
  Run run{.preset = preset,
          .arm = arm,
          .seed = seed,
          .commit = options_.commit,
          .command = options_.command,
          .recipe = kit::dump_json(of),
          .judged_on = options_.on_val ? "val" : "test",
          .classes = sets_.classes,
          .class_shares = class_shares_,
          .training = {}};
  const std::filesystem::path file = file_of(run, ".json");
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    Run there = read_run(file);
    kit::require_same_recipe(file, there.recipe, run.recipe);
    progress.skip(cost_of(preset, arm));
    return there;
  }
  progress.stage(run.name());
  Trained result = trained(run, recipe, plan, progress);
  run.training = std::move(result.training);
  run.step_seconds = result.step_seconds;
  run.best_epoch = kit::best_of(run.training.epochs).epoch;
  measure(run, plan, progress);
  write_run(file, run);
  TrainingCheckpoint(file_of(run, ".checkpoint"), {}).remove();
  progress.clear();
  std::cout << run.name() << ": mIoU " << kit::percent(run.total().mean_iou()) << ", pixels right "
            << kit::percent(run.total().accuracy()) << ", " << grouped(run.training.images_seen)
            << " pictures in " << kit::clock_time(run.training.seconds) << std::endl;
  return run;
}

}  // namespace pliant::segment
