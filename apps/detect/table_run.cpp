#include <pliant/apps/detect/table_run.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

// Of the arms "+warp": as far as the transforms go.
constexpr double kWarpRotate = 30, kWarpShear = 0.4;
// Looking at a picture costs about as much as this share of a picture trained on.
constexpr double kJudgeCost = 0.4;

// The mean way of the bins of what a net finds, in shares of their regions' sides.
double bins_moved(const LoadedNet& loaded, const PictureSet& set, Device device) {
  if (!pools_deformably(loaded.recipe.arm)) return 0;
  constexpr std::int64_t kPictures = 20;
  double sum = 0, bins = 0;
  for (std::int64_t i = 0; i < std::min(set.size(), kPictures); ++i) {
    const Resized input = net_input(set.at(i).image, loaded.recipe);
    const PictureBatch padded =
        batch_pictures({input.image}, preset_of(loaded.recipe.preset).divisor);
    const PictureBatch batch{padded.images.value().to(device), padded.sizes};
    const Tensor boxes = (*loaded.net)(batch).front().boxes;
    if (boxes.dim(0) == 0) continue;
    const std::vector<double> trans = loaded.net->trans(batch, {boxes}).value().to_vector();
    for (std::size_t k = 0; k < trans.size(); k += 2) sum += std::hypot(trans[k], trans[k + 1]);
    bins += static_cast<double>(trans.size()) / 2;
  }
  return bins > 0 ? sum / bins * DeformRoIPoolOptions().trans_std : 0;
}

}  // namespace

TableRuns::TableRuns(const TableOptions& options, const PictureSets& sets, Device device)
    : options_(options), sets_(sets), device_(device) {
  require(judged().size() > 0, sets.source,
          ": has no test set to judge on; --on val judges on the pictures that nets are chosen by");
}

double TableRuns::cost() const {
  const TrainingPlan plan = options_.common.plan_of(1, device_);
  return static_cast<double>(plan.epochs) * static_cast<double>(sets_.train.size()) +
         kJudgeCost * static_cast<double>(judged().size()) *
             static_cast<double>(1 + transforms(options_.draws).size());
}

TrainOptions TableRuns::options_of(const TableArm& arm) const {
  TrainOptions options = options_.common;
  if (arm.pyramid) {
    require(options.preset == "small", "--arms: fpn is of --preset small, not of ", options.preset);
    options.preset = "small-fpn";
  }
  if (arm.warped) {
    options.plan.augment.rotate = kWarpRotate;
    options.plan.augment.shear = kWarpShear;
  }
  return options;
}

Run TableRuns::named(const TableArm& arm, std::uint64_t seed) const {
  return {.preset = options_.common.preset,
          .arm = arm,
          .seed = seed,
          .commit = options_.commit,
          .command = options_.command,
          .recipe = {},
          .judged_on = options_.on_val ? "val" : "test",
          .classes = sets_.classes,
          .training = {}};
}

Trained TableRuns::trained(const Run& run, const TrainOptions& options, const NetRecipe& recipe,
                           const TrainingPlan& plan, kit::Progress& progress) const {
  const std::unique_ptr<FasterRCNN> net = options.net_of(recipe, run.seed, device_);
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

// On the judged pictures as they are, and moved.
void TableRuns::measure(Run& run, const TrainingPlan& plan, kit::Progress& progress) const {
  const LoadedNet kept = load_net(weights_of(run));
  kept.net->to(device_);
  const auto judged_on = [&](const PictureSet& set) {
    kit::stop_if_asked();
    Judgement judgement = judge(*kept.net, kept.recipe, set, device_);
    progress.advance(kJudgeCost * static_cast<double>(set.size()), "judging");
    return judgement;
  };
  run.judgement = judged_on(judged());
  run.parameters = kept.net->parameter_count();
  for (std::int64_t i = 0; i < judged().size(); ++i) run.ids.push_back(judged().id(i));
  run.moved_mean = bins_moved(kept, judged(), device_);
  for (const Transform& transform : transforms(options_.draws)) {
    const Judgement judgement = judged_on(transformed(judged(), transform, kept.recipe));
    if (run.moved.empty() || run.moved.back().kind != transform.kind ||
        run.moved.back().level != transform.level)
      run.moved.push_back({.kind = transform.kind,
                           .level = transform.level,
                           .trained = transform.is_within(plan.augment)});
    run.moved.back().ap += judgement.ap() / options_.draws;
    run.moved.back().ap50 += std::max(0.0, judgement.coco.ap50) / options_.draws;
  }
}

Run TableRuns::run(const TableArm& arm, std::uint64_t seed, kit::Progress& progress) const {
  const TrainOptions options = options_of(arm);
  const NetRecipe recipe = options.recipe_of(arm.arm, sets_);
  const TrainingPlan plan = options.plan_of(seed, device_);
  Json of = options.json_of(recipe, plan, sets_, seed);
  of["judged"] = {options_.on_val ? "val" : "test", judged().size(), options_.draws};
  Run run = named(arm, seed);
  run.recipe = kit::dump_json(of);
  const std::filesystem::path file = file_of(run, ".json");
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    Run there = read_run(file);
    kit::require_same_recipe(file, there.recipe, run.recipe);
    progress.skip(cost());
    return there;
  }
  progress.stage(run.name());
  Trained result = trained(run, options, recipe, plan, progress);
  run.training = std::move(result.training);
  run.step_seconds = result.step_seconds;
  run.best_epoch = kit::best_of(run.training.epochs).epoch;
  measure(run, plan, progress);
  write_run(file, run);
  TrainingCheckpoint(file_of(run, ".checkpoint"), {}).remove();
  progress.clear();
  std::cout << run.name() << ": AP " << fixed(run.judgement.ap(), 3) << ", AP50 "
            << fixed(std::max(0.0, run.judgement.coco.ap50), 3) << ", "
            << grouped(run.training.images_seen) << " pictures in "
            << kit::clock_time(run.training.seconds) << std::endl;
  return run;
}

}  // namespace pliant::detect
