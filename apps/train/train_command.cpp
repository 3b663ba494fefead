#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/json_text.h>
#include <pliant/apps/kit/ranks.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_files.h>
#include <pliant/apps/kit/training_log.h>
#include <pliant/apps/page/page.h>
#include <pliant/apps/train/commands.h>
#include <pliant/apps/train/judge.h>
#include <pliant/apps/train/report.h>
#include <pliant/apps/train/training.h>

namespace pliant::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExamples = R"(
DATA is a folder with a folder of pictures (PNG, JPEG, BMP) for each class; or one with such folders
train, val and test in it; or CIFAR-10 or CIFAR-100 as binary files; or IDX files as MNIST's. Where
there is no val, a share of the training set is held out. The net of --out is the one that was best
there.

examples:
  pliant-train --example --out shapes.safetensors      shapes drawn by program, two minutes
  pliant-train photos --out net.safetensors --report page
  pliant-train photos --net resnet18 --deformable 3,4 --size 96 --out bent.safetensors
  pliant-train photos --net resnet50 --pretrained resnet50.safetensors --freeze 'layer1.*' \
               --size 224 --out net.safetensors
  pliant-train photos --out net.safetensors --resume   after an interrupt
  mpirun -n 4 pliant-train photos --out net.safetensors --threads 1    on four processes
  pliant-train predict --weights net.safetensors cat.jpg dog.jpg --top 3)";

struct Options {
  kit::ComputeOptions compute;
  kit::TrainingFiles files;
  std::string data, pretrained, preset = "standard";
  std::string augment = "light", bad_files = "stop";
  std::vector<std::string> freeze;
  NetRecipe recipe;
  TrainingPlan plan;
  DataOptions data_options;
  std::string command, commit = "unknown";
  std::uint64_t seed = 1;
  bool example = false;
  double checkpoint_seconds = 60;
  kit::RankOptions ranks;

  // Of a rank that does not lead, which writes none.
  void no_files() { files.report = files.log = files.events = compute.json = ""; }
};

Augment augment_of(const std::string& name) {
  return name == "none" ? Augment::none : name == "light" ? Augment::light : Augment::strong;
}

// What decides the bits of the training.
Json recipe_json(const Options& options, const PictureSets& sets) {
  const TrainingPlan& plan = options.plan;
  return {{"net", options.recipe.net},
          {"layers", options.recipe.layers},
          {"deformable", options.recipe.deformable},
          {"size", options.recipe.size},
          {"classes", options.recipe.classes},
          {"data", sets.source},
          {"pictures", {sets.train.size(), sets.val.size()}},
          {"pretrained", options.pretrained},
          {"freeze", options.freeze},
          {"epochs", plan.epochs},
          {"batch", plan.batch},
          {"accumulate", plan.accumulate},
          {"parts", plan.ranks.parts},
          {"lr", plan.lr},
          {"weight_decay", plan.weight_decay},
          {"label_smoothing", plan.label_smoothing},
          {"class_weights", plan.class_weights},
          {"augment", options.augment},
          {"clip", plan.clip},
          {"average", plan.average},
          {"branch_rate", plan.branch_rate},
          {"patience", plan.patience},
          {"val", options.data_options.val},
          {"precision", options.compute.precision},
          {"seed", options.seed}};
}

PictureSets open_sets(const Options& options) {
  require(options.example != !options.data.empty(),
          options.example ? "--example: takes no DATA" : "DATA is missing; see --help");
  PictureSets sets = options.example ? example_pictures(options.data_options)
                                     : open_pictures(options.data, options.data_options);
  std::cout << "data: " << sets.source << "; " << grouped(sets.train.size()) << " to learn from, "
            << grouped(sets.val.size()) << " to choose by, " << grouped(sets.test.size())
            << " to judge by; " << sets.classes.size() << " classes\n";
  for (const std::string& notice : sets.notices) std::cerr << "note: " << notice << '\n';
  return sets;
}

// Fills and freezes.
std::unique_ptr<kit::Classifier> made(const Options& options) {
  std::unique_ptr<kit::Classifier> net = make_net(options.recipe);
  net->initialise(Rng(options.seed).fork("net"));
  if (!options.pretrained.empty())
    std::cout << kit::start_from(options.pretrained, net->net(), "", net->flattened_maps()) << '\n';
  for (const std::string& pattern : options.freeze) net->net().freeze(pattern);
  net->to(options.plan.device);
  return net;
}

int run(Options options, const Group& group) {
  options.plan.ranks = options.ranks.plan(options.plan.batch, group);
  if (!group.leads()) options.no_files();
  options.plan.device = options.compute.set_up();
  options.plan.activations = kit::activations_at(options.compute.precision);
  options.plan.augment = augment_of(options.augment);
  options.plan.rng = Rng(options.seed).fork("train");
  options.data_options.rng = Rng(options.seed).fork("data");
  options.data_options.bad_files = options.bad_files == "skip" ? BadFiles::skip : BadFiles::stop;
  complete(options.recipe);
  std::unique_ptr<const FileLock> lock;
  if (group.leads()) {
    options.files.check(options.compute.json, options.pretrained);
    lock.reset(new FileLock(options.files.lock()));
  }
  group.barrier();
  if (!options.files.report.empty()) page::prepare_page("--report", options.files.report);
  kit::JsonFile json_file(options.compute.json);
  const PictureSets sets = open_sets(options);
  options.recipe.classes = sets.classes;
  options.recipe.channels = sets.channels;
  const std::unique_ptr<kit::Classifier> net = made(options);

  kit::Checkpoint checkpoint(options.files.checkpoint(),
                             kit::recipe_from(recipe_json(options, sets)),
                             options.checkpoint_seconds, group.leads());
  kit::Progress progress(static_cast<double>(options.plan.epochs) *
                         static_cast<double>(sets.train.size()));
  progress.stage(options.recipe.title());
  kit::TrainingLog log(options.files.log, options.files.events);
  log.add_image(0, "train/images", [&] {
    return NetInput(sets.train, options.recipe, options.plan.augment)
        .sheet(options.plan.rng.fork("sheet"));
  });
  kit::Training training;
  {
    const kit::StopOnSignal stop;
    training = train(*net, sets, options.recipe, options.plan, progress, &checkpoint,
                     {.on_best =
                          [&] {
                            if (group.leads()) save_net(options.files.out, *net, options.recipe);
                          },
                      .on_point =
                          [&](std::int64_t step, const kit::CurvePoint& point) {
                            log.add(step, {{"epoch", point.epoch},
                                           {"lr", point.lr},
                                           {"train/loss", point.loss},
                                           {"train/accuracy", point.accuracy}});
                          },
                      .on_epoch =
                          [&](std::int64_t step, const kit::EpochPoint& point) {
                            progress.clear();
                            std::cout << "epoch " << point.epoch << ": "
                                      << kit::percent(point.measured) << " of val right"
                                      << std::endl;
                            log.add(step, {{"val/accuracy", point.measured}});
                          }});
  }
  progress.clear();
  if (!group.leads()) return 0;

  const LoadedNet best = load_net(options.files.out);
  best.net->to(options.plan.device);
  const bool tested = sets.test.size() > 0;
  const PictureSet& judged = tested ? sets.test : sets.val;
  const Judgement judgement =
      judge(*best.net, judged, options.recipe,
            {.device = options.plan.device, .threads = options.plan.loaders});
  std::cout << table_of(judgement, options.recipe) << printable(options.files.out) << ": "
            << options.recipe.title() << ", " << grouped(best.net->parameter_count())
            << " parameters, " << grouped(training.images_seen) << " pictures in "
            << kit::clock_time(training.seconds) << "; best epoch "
            << kit::best_of(training.epochs).epoch << ", " << kit::percent(judgement.accuracy())
            << " of " << (tested ? "test" : "val") << " right\n";
  Json json = {{"command", options.command},
               {"commit", options.commit},
               {"seed", options.seed},
               {"ranks", group.size()},
               {"parts", options.plan.ranks.parts},
               {"net", options.recipe.title()},
               {"data", sets.source},
               {"parameters", best.net->parameter_count()},
               {"best_epoch", kit::best_of(training.epochs).epoch},
               {tested ? "test" : "val", json_of(judgement, options.recipe)}};
  json.update(kit::json_of(training, "val_accuracy"));
  if (!options.files.report.empty()) {
    write_report(options.files.report, {.recipe = options.recipe,
                                        .sets = sets,
                                        .training = training,
                                        .judged = judged,
                                        .judgement = judgement,
                                        .is_example = options.example,
                                        .net = *best.net,
                                        .device = options.plan.device});
    std::cout << "page: " << printable(options.files.report) << "/index.html\n";
  }
  json_file.write(json);
  checkpoint.remove();
  return 0;
}

void add_net_options(CLI::App& app, Options& options) {
  std::string names;
  for (const std::string& name : net_names()) names += (names.empty() ? "" : ", ") + name;
  app.add_option("--net", options.recipe.net, names + ", or a JSON file of layers")
      ->capture_default_str();
  app.add_option("--deformable", options.recipe.deformable,
                 "stages whose convolutions deform, as in 3,4")
      ->capture_default_str();
  app.add_option("--size", options.recipe.size, "side of the images that the net is given")
      ->transform(kit::whole_number(8, 4096))
      ->capture_default_str();
  app.add_option("--pretrained", options.pretrained,
                 "start from this file: of pliant-train, or a state dict of torchvision's as "
                 "safetensors; what does not fit keeps its first values, and is told")
      ->check(CLI::ExistingFile);
  app.add_option("--freeze", options.freeze, "patterns of parameters that stay: 'layer1.*'");
}

void add_plan_options(CLI::App& app, Options& options) {
  TrainingPlan& plan = options.plan;
  app.add_option("--epochs", plan.epochs)->transform(kit::positive_count())->capture_default_str();
  app.add_option("--batch", plan.batch, "pictures a batch")
      ->transform(kit::positive_count())
      ->capture_default_str();
  app.add_option("--accumulate", plan.accumulate, "batches a step")
      ->transform(kit::positive_count())
      ->capture_default_str();
  app.add_option("--lr", plan.lr, "peak of the one-cycle schedule")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--weight-decay", plan.weight_decay)
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_option("--branch-rate", plan.branch_rate, "of deformable branches, times the rate")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--clip", plan.clip, "largest norm of a step's gradients; 0: any")
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_option("--average", plan.average, "decay of an average of the weights, as 0.999; 0: none")
      ->check(kit::real_number("a number from 0 to below 1",
                               [](double decay) { return decay >= 0 && decay < 1; }))
      ->capture_default_str();
  app.add_option("--label-smoothing", plan.label_smoothing)
      ->check(kit::real_number("a number from 0 to 1",
                               [](double share) { return share >= 0 && share <= 1; }))
      ->capture_default_str();
  app.add_flag("--class-weights", plan.class_weights, "rare classes count as much as others");
  app.add_option("--augment", options.augment,
                 "light: mirrored and shifted; strong: turned, sheared, scaled, darker or brighter "
                 "too")
      ->check(CLI::IsMember({"none", "light", "strong"}))
      ->capture_default_str();
  app.add_option("--patience", plan.patience,
                 "end after so many epochs without a better one on val; 0: never")
      ->transform(kit::whole_number(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--seed", options.seed)->transform(kit::whole_number(0))->capture_default_str();
  app.add_option("--loaders", plan.loaders, "threads that read pictures")
      ->transform(kit::whole_number(1, 256))
      ->capture_default_str();
}

void add_data_options(CLI::App& app, Options& options) {
  app.add_option("DATA", options.data, "the pictures");
  app.add_flag("--example", options.example, "shapes drawn by program instead of DATA");
  app.add_option("--val", options.data_options.val,
                 "share of the training set that is held out, where DATA has no val")
      ->check(kit::share_between_0_and_1())
      ->capture_default_str();
  app.add_option("--train-images", options.data_options.train_images, "use only so many")
      ->transform(kit::positive_count());
  app.add_option("--bad-files", options.bad_files, "files that cannot be read")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
}

void add_file_options(CLI::App& app, Options& options) {
  options.files.add_to(app);
  app.add_option("--commit", options.commit, "kept in the JSON; tools/train gives it");
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "time between checkpoints")
      ->check(kit::number_from_0())
      ->capture_default_str();
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen, const std::string& command) {
  const auto options = std::make_shared<Options>();
  options->command = command;
  add_data_options(app, *options);
  add_net_options(app, *options);
  add_plan_options(app, *options);
  add_file_options(app, *options);
  options->compute.add_to(app);
  options->compute.add_precision_to(app);
  options->ranks.add_to(app);
  app.footer(kExamples);
  app.final_callback([&app, options, &chosen] {
    if (!app.get_subcommands().empty()) return;
    require(!options->files.out.empty(), "--out is missing: where the net goes; see --help");
    chosen = [options] {
      return kit::on_ranks([&](const Group& group) { return run(*options, group); });
    };
  });
}

}  // namespace pliant::train
