#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/detect/commands.h>
#include <pliant/apps/detect/judge.h>
#include <pliant/apps/detect/options.h>
#include <pliant/apps/detect/report.h>
#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/training_files.h>
#include <pliant/apps/kit/training_log.h>
#include <pliant/apps/page/page.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
DATA is in the layout of PASCAL VOC (ImageSets/Main, Annotations, JPEGImages, perhaps classes.txt), of
COCO (annotations/train.json, pictures in train) or of YOLO (images, labels, classes.txt). Where there
is no val, a share of the training set is held out. The net of --out is the one that was best there.

examples:
  pliant-detect train --example --preset tiny --out scenes.safetensors --report page
  pliant-detect train cells --arm pool-stage --out net.safetensors --report page
  pliant-detect train cells --out net.safetensors --resume   after an interrupt
  pliant-detect train cells --train-split trainval --keep last --out net.safetensors
  pliant-detect train photos --preset resnet50-fpn --pretrained fasterrcnn.safetensors \
                --head replace --out net.safetensors)";

struct Options {
  TrainOptions common;
  kit::TrainingFiles files;
  std::string arm = "align";
  std::uint64_t seed = 1;
};

int run(const Options& options) {
  const Device device = options.common.compute.set_up();
  options.files.check(options.common.compute.json, options.common.pretrained);
  if (!options.files.report.empty()) page::prepare_page("--report", options.files.report);
  kit::JsonFile json_file(options.common.compute.json);
  const FileLock lock = options.files.lock();
  const PictureSets sets = options.common.sets.open();
  const NetRecipe recipe = options.common.recipe_of(options.arm, sets);
  const TrainingPlan plan = options.common.plan_of(options.seed, device);
  const std::unique_ptr<FasterRCNN> net = options.common.net_of(recipe, options.seed, device);

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
    trained = train(*net, recipe, sets, plan, progress, &checkpoint,
                    kit::telling(
                        log, progress, "val/ap", [](double ap) { return "AP " + fixed(ap, 3); },
                        [&] {
                          if (options.common.keep == "best")
                            save_net(options.files.out, *net, recipe);
                        }));
  }
  progress.clear();
  if (options.common.keep == "last") save_net(options.files.out, *net, recipe);

  const LoadedNet kept = load_net(options.files.out);
  kept.net->to(device);
  const bool tested = sets.test.size() > 0;
  const PictureSet& judged = tested ? sets.test : sets.val;
  const Judgement judgement = judge(*kept.net, recipe, judged, device);
  const kit::EpochPoint best = kit::best_of(trained.training.epochs);
  std::cout << table_of(judgement, recipe) << printable(options.files.out) << ": " << recipe.title()
            << ", " << grouped(kept.net->parameter_count()) << " parameters, "
            << grouped(trained.training.images_seen) << " pictures in "
            << kit::clock_time(trained.training.seconds) << "; best epoch " << best.epoch << ", AP "
            << fixed(judgement.ap(), 3) << " on " << (tested ? "test" : "val") << '\n';
  Json json = {{"net", recipe.title()},
               {"data", sets.source},
               {"parameters", kept.net->parameter_count()},
               {"step_seconds", trained.step_seconds},
               {"best_epoch", best.epoch},
               {tested ? "test" : "val", json_of(judgement, recipe)}};
  json.update(kit::json_of(trained.training, "val_ap"));
  if (!options.files.report.empty()) {
    const ReportNet shown{.name = recipe.title(),
                          .net = *kept.net,
                          .recipe = recipe,
                          .training = trained.training,
                          .judgement = judgement};
    write_report(options.files.report,
                 {.sets = sets, .judged = judged, .nets = {shown}, .device = device});
    std::cout << "page: " << printable(options.files.report) << "/index.html\n";
  }
  json_file.write(json);
  checkpoint.remove();
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const train = app.add_subcommand("train", "train a net on pictures with boxes");
  train->footer(kExamples);
  train
      ->add_option("--arm", options->arm,
                   "align: RoIAlign; align-stage: and a deformable last stage; fixed: deformable "
                   "pooling whose bins stay; pool: deformable pooling; pool-stage: both")
      ->check(CLI::IsMember(arm_names()))
      ->capture_default_str();
  train->add_option("--seed", options->seed)
      ->transform(kit::whole_number(0))
      ->capture_default_str();
  options->common.add_to(*train);
  options->files.add_to(*train)->required();
  train->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::detect
