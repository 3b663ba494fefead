#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_log.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/apps/segment/judge.h>
#include <pliant/apps/segment/options.h>
#include <pliant/apps/segment/report.h>
#include <pliant/core/file_lock.h>
#include <pliant/core/file_name.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
DATA is in the layout of PASCAL VOC (JPEGImages, SegmentationClass, ImageSets/Segmentation and, for
other classes than VOC's, classes.txt); or has folders images and masks, or such in train, val and
test. There masks are labels, named by classes.txt, or colours, listed as "128 64 128 road" in
colours.txt; label 255 and the colour of "void" belong to no class. Where there is no val, a share
of the training set is held out. The net of --out is the one that was best there.

examples:
  pliant-segment train --example --preset tiny --out scenes.safetensors     drawn by program
  pliant-segment train streets --out net.safetensors --report page
  pliant-segment train streets --arm replace --deform dcn2 --out bent.safetensors
  pliant-segment train VOC2012 --preset resnet50 --pretrained resnet50.safetensors \
                       --out voc.safetensors
  pliant-segment train streets --out net.safetensors --resume               after an interrupt)";

struct Options {
  TrainOptions common;
  std::string preset = "small", arm = "plain", out, report, log, events;
  std::uint64_t seed = 1;

  std::string checkpoint() const { return with_suffix(out, ".checkpoint").string(); }
};

void check_files(const Options& options) {
  kit::require_files_of_their_own({{"the checkpoint beside --out", options.checkpoint()},
                                   {"--out", options.out},
                                   {"--log", options.log},
                                   {"--json", options.common.compute.json}},
                                  {{"--pretrained", options.common.pretrained}});
  require_training_checkpoint(options.checkpoint());
  std::error_code error;
  require(options.common.resume || !std::filesystem::exists(options.checkpoint(), error),
          options.checkpoint(),
          ": holds an interrupted training; add --resume to go on with it, or delete it");
  remove_stale_temporaries(options.out);
  const AtomicFile proof("--out", options.out);
  if (!options.report.empty()) page::prepare_page("--report", options.report);
}

// The logs, and a line for each epoch.
Listeners listeners_of(const Options& options, const DeepLabV3Plus& net, const NetRecipe& recipe,
                       kit::TrainingLog& log, kit::Progress& progress) {
  return {
      .on_best = [&] { save_net(options.out, net, recipe); },
      .on_point =
          [&](std::int64_t step, const kit::CurvePoint& point) {
            log.add(step, {{"epoch", point.epoch}, {"lr", point.lr}, {"train/loss", point.loss}});
          },
      .on_epoch =
          [&](std::int64_t step, const kit::EpochPoint& point) {
            progress.clear();
            std::cout << "epoch " << point.epoch << ": mIoU " << kit::percent(point.measured)
                      << " on val" << std::endl;
            log.add(step, {{"val/mean_iou", point.measured}});
          }};
}

int run(const Options& options) {
  const Device device = options.common.compute.set_up();
  check_files(options);
  kit::JsonFile json_file(options.common.compute.json);
  const FileLock lock(with_suffix(options.out, ".lock"),
                      "--out: another process is training into this file");
  const PictureSets sets = options.common.open_sets();
  const NetRecipe recipe = options.common.recipe_of(options.preset, options.arm, sets);
  const TrainingPlan plan = options.common.plan_of(recipe, options.seed, device);
  const std::unique_ptr<DeepLabV3Plus> net = options.common.net_of(recipe, options.seed, device);

  kit::Checkpoint checkpoint(
      options.checkpoint(),
      kit::recipe_from(options.common.json_of(recipe, plan, sets, options.seed)),
      options.common.checkpoint_seconds);
  kit::Progress progress(static_cast<double>(plan.epochs) * static_cast<double>(sets.train.size()));
  progress.stage(recipe.title());
  kit::TrainingLog log(options.log, options.events);
  Trained trained;
  {
    const kit::StopOnSignal stop;
    trained = train(*net, recipe, sets, plan, progress, &checkpoint,
                    listeners_of(options, *net, recipe, log, progress));
  }
  progress.clear();

  const LoadedNet best = load_net(options.out);
  best.net->to(device);
  const bool tested = sets.test.size() > 0;
  const PictureSet& judged = tested ? sets.test : sets.val;
  const Judgement judgement = judge(*best.net, recipe, judged, {.device = device});
  const kit::EpochPoint chosen = kit::best_of(trained.training.epochs);
  std::cout << table_of(judgement, recipe) << printable(options.out) << ": " << recipe.title()
            << ", " << grouped(best.net->trainable_count()) << " parameters, "
            << grouped(trained.training.images_seen) << " pictures in "
            << kit::clock_time(trained.training.seconds) << "; best epoch " << chosen.epoch
            << ", mIoU " << kit::percent(judgement.mean_iou) << " on " << (tested ? "test" : "val")
            << '\n';
  Json json = {{"net", recipe.title()},
               {"data", sets.source},
               {"parameters", best.net->trainable_count()},
               {"step_seconds", trained.step_seconds},
               {"best_epoch", chosen.epoch},
               {tested ? "test" : "val", json_of(judgement, recipe)}};
  json.update(kit::json_of(trained.training, "val_mean_iou"));
  if (!options.report.empty()) {
    const std::vector<ReportNet> nets = {{.name = recipe.title(),
                                          .net = *best.net,
                                          .recipe = recipe,
                                          .training = trained.training,
                                          .confusion = judgement.confusion,
                                          .pictures = judgement.pictures}};
    write_report(options.report, {.sets = sets, .judged = judged, .nets = nets, .device = device});
    std::cout << "page: " << printable(options.report) << "/index.html\n";
  }
  json_file.write(json);
  checkpoint.remove();
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const train = app.add_subcommand("train", "train a net on pictures with masks");
  train->footer(kExamples);
  train->add_option("--preset", options->preset, "how large the net is")
      ->check(CLI::IsMember(preset_names()))
      ->capture_default_str();
  train->add_option("--arm", options->arm, "which layers deform")
      ->check(CLI::IsMember(arm_names()))
      ->capture_default_str();
  train->add_option("--seed", options->seed)
      ->transform(kit::whole_number(0))
      ->capture_default_str();
  options->common.add_to(*train);
  train->add_option("--out", options->out, "file of the trained net (safetensors)")
      ->check(kit::some_path())
      ->required();
  train->add_option("--report", options->report, "write a page into this folder")
      ->check(kit::some_path());
  train
      ->add_option("--log", options->log,
                   "write figures to this file as they come, a JSON line each")
      ->check(kit::some_path());
  train->add_option("--tensorboard", options->events, "write event files into this folder")
      ->check(kit::some_path());
  train->add_flag("--resume", options->common.resume,
                  "go on with an interrupted training of --out");
  train->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::segment
