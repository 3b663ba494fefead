#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_files.h>
#include <pliant/apps/kit/training_log.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/segment/commands.h>
#include <pliant/apps/segment/judge.h>
#include <pliant/apps/segment/options.h>
#include <pliant/apps/segment/report.h>

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
  kit::TrainingFiles files;
  std::string preset = "small", arm = "plain";
  std::uint64_t seed = 1;
};

int run(const Options& options) {
  const Device device = options.common.compute.set_up();
  options.files.check(options.common.compute.json, options.common.pretrained);
  if (!options.files.report.empty()) page::prepare_page("--report", options.files.report);
  kit::JsonFile json_file(options.common.compute.json);
  const FileLock lock = options.files.lock();
  const PictureSets sets = options.common.open_sets();
  const NetRecipe recipe = options.common.recipe_of(options.preset, options.arm, sets);
  const TrainingPlan plan = options.common.plan_of(recipe, options.seed, device);
  const std::unique_ptr<DeepLabV3Plus> net = options.common.net_of(recipe, options.seed, device);

  kit::Checkpoint checkpoint(
      options.files.checkpoint(),
      kit::recipe_from(options.common.json_of(recipe, plan, sets, options.seed)),
      options.common.checkpoint_seconds);
  kit::Progress progress(static_cast<double>(plan.epochs) * static_cast<double>(sets.train.size()));
  progress.stage(recipe.title());
  kit::TrainingLog log(options.files.log, options.files.events);
  Trained trained;
  {
    const kit::StopOnSignal stop;
    trained = train(
        *net, recipe, sets, plan, progress, &checkpoint,
        kit::telling(
            log, progress, "val/mean_iou", [](double iou) { return "mIoU " + kit::percent(iou); },
            [&] { save_net(options.files.out, *net, recipe); }));
  }
  progress.clear();

  const LoadedNet best = load_net(options.files.out);
  best.net->to(device);
  const bool tested = sets.test.size() > 0;
  const PictureSet& judged = tested ? sets.test : sets.val;
  const Judgement judgement = judge(*best.net, recipe, judged, {.device = device});
  const kit::EpochPoint chosen = kit::best_of(trained.training.epochs);
  std::cout << table_of(judgement, recipe) << printable(options.files.out) << ": " << recipe.title()
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
  if (!options.files.report.empty()) {
    const std::vector<ReportNet> nets = {{.name = recipe.title(),
                                          .net = *best.net,
                                          .recipe = recipe,
                                          .training = trained.training,
                                          .confusion = judgement.confusion,
                                          .pictures = judgement.pictures}};
    write_report(options.files.report,
                 {.sets = sets, .judged = judged, .nets = nets, .device = device});
    std::cout << "page: " << printable(options.files.report) << "/index.html\n";
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
  options->files.add_to(*train)->required();
  train->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::segment
