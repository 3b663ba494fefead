#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/training_files.h>
#include <pliant/apps/kit/training_log.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/track/commands.h>
#include <pliant/apps/track/judge.h>
#include <pliant/apps/track/options.h>
#include <pliant/apps/track/report.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
DATA holds sequences in the layout of VOT (frames and groundtruth.txt) or OTB (img and
groundtruth_rect.txt), and perhaps train.txt, val.txt and test.txt, which name them. Without val.txt a
share of the sequences is held out. The net of --out is the one that was best there.

examples:
  pliant-track train --example --preset tiny --out shapes.safetensors --report page
  pliant-track train vot --arm replace --out net.safetensors --log net.jsonl
  pliant-track train vot --stills cells --stills coco --stills-share 0.4 --out net.safetensors
  pliant-track train vot --out net.safetensors --resume   after an interrupt)";

struct Options {
  TrainOptions common;
  kit::TrainingFiles files;
  std::string arm = "plain";
  std::uint64_t seed = 1;
};

int run(const Options& options) {
  const Device device = options.common.compute.set_up();
  options.files.check(options.common.compute.json, options.common.pretrained);
  if (!options.files.report.empty()) page::prepare_page("--report", options.files.report);
  kit::JsonFile json_file(options.common.compute.json);
  const FileLock lock = options.files.lock();
  const VideoSets sets = options.common.open();
  const NetRecipe recipe = options.common.recipe_of(options.arm);
  const TrainingPlan plan = options.common.plan_of(options.seed, device);
  const std::unique_ptr<SiamRPN> net = options.common.net_of(recipe, options.seed, device);

  kit::Checkpoint checkpoint(
      options.files.checkpoint(),
      kit::recipe_from(options.common.json_of(recipe, plan, sets, options.seed)),
      options.common.checkpoint_seconds);
  kit::Progress progress(static_cast<double>(plan.epochs) * static_cast<double>(plan.pairs.pairs));
  progress.stage(recipe.title());
  kit::TrainingLog log(options.files.log, options.files.events);
  Trained trained;
  {
    const kit::StopOnSignal stop;
    trained = train(*net, recipe, sets, plan, progress, &checkpoint,
                    kit::telling(
                        log, progress, "val/auc", [](double auc) { return "AUC " + fixed(auc, 3); },
                        [&] {
                          if (options.common.keep == "best")
                            save_net(options.files.out, *net, recipe);
                        }));
  }
  progress.clear();
  if (options.common.keep == "last") save_net(options.files.out, *net, recipe);

  const LoadedNet kept = load_net(options.files.out);
  kept.net->to(device);
  const bool tested = !sets.test.empty();
  NetTracker tracker(*kept.net, recipe, device);
  const Judgement judgement = judge(tracker, tested ? sets.test : sets.val);
  const kit::EpochPoint best = kit::best_of(trained.training.epochs);
  std::cout << table_of(judgement) << printable(options.files.out) << ": " << recipe.title() << ", "
            << grouped(kept.net->parameter_count()) << " parameters, "
            << grouped(trained.training.images_seen) << " pairs in "
            << kit::clock_time(trained.training.seconds) << "; best epoch " << best.epoch
            << ", AUC " << fixed(judgement.auc(), 3) << " on " << (tested ? "test" : "val") << '\n';
  Json json = {{"net", recipe.title()},
               {"data", sets.source},
               {"parameters", kept.net->parameter_count()},
               {"step_seconds", trained.step_seconds},
               {"best_epoch", best.epoch},
               {tested ? "test" : "val", json_of(judgement)}};
  json.update(kit::json_of(trained.training, "val_auc"));
  if (!options.files.report.empty()) {
    const ReportNet shown{.name = recipe.title(),
                          .net = *kept.net,
                          .recipe = recipe,
                          .training = trained.training,
                          .judgement = judgement};
    write_report(
        options.files.report,
        {.sets = sets, .judged = tested ? sets.test : sets.val, .nets = {shown}, .device = device});
    std::cout << "page: " << printable(options.files.report) << "/index.html\n";
  }
  json_file.write(json);
  checkpoint.remove();
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const train = app.add_subcommand("train", "train a net on sequences");
  train->footer(kExamples);
  train
      ->add_option("--arm", options->arm,
                   "plain; replace: the last stage deforms; extra: deformable layers after its "
                   "blocks; extra-fixed: the same with offsets held at 0")
      ->check(CLI::IsMember(arm_names()))
      ->capture_default_str();
  train->add_option("--seed", options->seed)
      ->transform(kit::whole_number(0))
      ->capture_default_str();
  options->common.add_to(*train);
  options->files.add_to(*train)->required();
  train->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant::track
