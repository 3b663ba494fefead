#include <pliant/apps/detect/options.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/fine_tuning.h>
#include <pliant/layers/safetensors.h>

namespace pliant::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLargestSide = 1 << 14;
constexpr const char* kPredictor = "roi_heads.box_predictor.";

void add_net_options(CLI::App& app, TrainOptions& options) {
  app.add_option("--preset", options.preset, "how large the net is")
      ->check(CLI::IsMember(preset_names()))
      ->capture_default_str();
  app.add_option("--pretrained", options.pretrained,
                 "start from this file: of pliant-detect, or torchvision's detector or ResNet as "
                 "safetensors; what does not fit keeps its first values, and is told")
      ->check(CLI::ExistingFile);
  app.add_option("--head", options.head,
                 "of --pretrained: whether the layers that name classes are taken too, or replaced")
      ->check(CLI::IsMember({"keep", "replace"}))
      ->capture_default_str();
  app.add_option("--freeze", options.freeze,
                 "patterns of parameters that stay: 'backbone.body.layer1.*'");
  app.add_option("--short-side", options.short_side,
                 "of pictures as the net sees them; 0: as they are (the preset's)")
      ->transform(kit::whole_number(0, kLargestSide));
  app.add_option("--long-side", options.long_side, "is at most this; 0: any (the preset's)")
      ->transform(kit::whole_number(0, kLargestSide));
}

void add_plan_options(CLI::App& app, TrainOptions& options) {
  TrainingPlan& plan = options.plan;
  app.add_option("--epochs", options.epochs, "(the preset's)")->transform(kit::positive_count());
  app.add_option("--batch", options.batch, "pictures a batch (the preset's)")
      ->transform(kit::positive_count());
  app.add_option("--accumulate", plan.accumulate, "batches a step")
      ->transform(kit::positive_count())
      ->capture_default_str();
  app.add_option("--lr", options.lr, "peak of the one-cycle schedule (the preset's)")
      ->check(kit::number_above_0());
  app.add_option("--branch-rate", plan.branch_rate, "of branches that deform, times the rate")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--weight-decay", plan.weight_decay)
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_option("--clip", plan.clip, "largest norm of a step's gradients; 0: any")
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_flag("--freeze-batch-norm", plan.freeze_batch_norm,
               "scale, shift and statistics of every BatchNorm stay");
  app.add_option("--keep", options.keep,
                 "the net that was best on val, or the last: where val is learned from, last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  app.add_option("--patience", plan.patience,
                 "end after so many epochs without a better one on val; 0: never")
      ->transform(kit::whole_number(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--loaders", plan.loaders, "threads that read pictures")
      ->transform(kit::whole_number(1, 256))
      ->capture_default_str();
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "time between checkpoints")
      ->check(kit::number_from_0())
      ->capture_default_str();
}

void add_augmentation(CLI::App& app, Augmentation& augment) {
  app.add_option("--flip", augment.flip, "how often left and right are exchanged")
      ->check(kit::number_from_0_to_1())
      ->capture_default_str();
  app.add_option("--scale-low", augment.scale_low, "pictures are scaled by this at least")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--scale-high", augment.scale_high, "and by this at most")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--rotate", augment.rotate, "turned by up to so many degrees")
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_option("--shear", augment.shear, "sheared by up to so much")
      ->check(kit::number_from_0_to_1())
      ->capture_default_str();
}

// torchvision's detectors name what they stand on; its classifiers' names begin there.
std::string prefix_of(const std::string& file) {
  const SafetensorsFile read = read_safetensors(file);
  const bool whole = std::any_of(read.tensors.begin(), read.tensors.end(), [](const auto& each) {
    return each.first.starts_with("backbone.");
  });
  return whole ? "" : "backbone.body.";
}

State predictor_of(const FasterRCNN& net) {
  State state = net.state();
  std::erase_if(state, [](const auto& each) { return !each.first.starts_with(kPredictor); });
  return state;
}

// The layers that name classes as they were.
void put_back(FasterRCNN& net, const State& predictor) {
  State state = net.state();
  for (auto& [path, tensor] : state)
    for (const auto& [name, value] : predictor)
      if (name == path) tensor = value;
  net.load(state);
}

}  // namespace

void SetOptions::add_to(CLI::App& app) {
  app.add_option("DATA", data, "pictures and boxes: the layout of PASCAL VOC, COCO or YOLO");
  app.add_flag("--example", example, "scenes drawn by program instead of DATA");
  app.add_option("--val", how.val,
                 "share of the training set that is held out, where DATA has no val")
      ->check(kit::share_between_0_and_1())
      ->capture_default_str();
  app.add_option("--train-split", how.train_split, "the list that is learned from, as trainval")
      ->check(kit::some_path())
      ->capture_default_str();
  app.add_option("--train-pictures", how.train_pictures, "use only so many")
      ->transform(kit::positive_count());
  app.add_option("--bad-files", bad_files, "pictures and annotations that cannot be used")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
}

PictureSets SetOptions::open() const {
  require(example != !data.empty(),
          example ? "--example: takes no DATA" : "DATA is missing; see --help");
  DataOptions options = how;
  options.bad_files = bad_files == "skip" ? BadFiles::skip : BadFiles::stop;
  PictureSets sets = example ? example_pictures(options) : open_pictures(data, options);
  std::cout << "data: " << printable(sets.source) << "; " << grouped(sets.train.size())
            << " to learn from, " << grouped(sets.val.size()) << " to choose by, "
            << grouped(sets.test.size()) << " to judge by; " << sets.classes.size()
            << (sets.classes.size() == 1 ? " class" : " classes") << std::endl;
  for (const std::string& notice : sets.notices) std::cerr << "note: " << notice << std::endl;
  return sets;
}

void add_find_options(CLI::App& app, FindOptions& find) {
  app.add_option("--score", find.score, "what is found is surer than this")
      ->check(kit::number_from_0_to_1())
      ->capture_default_str();
  app.add_option("--nms", find.nms, "boxes of a class that overlap by more are one")
      ->check(kit::number_from_0_to_1())
      ->capture_default_str();
  app.add_option("--max-per-image", find.most, "boxes, the surest")
      ->transform(kit::positive_count())
      ->capture_default_str();
}

void TrainOptions::add_to(CLI::App& app) {
  sets.add_to(app);
  add_net_options(app, *this);
  add_plan_options(app, *this);
  add_augmentation(app, plan.augment);
  compute.add_to(app);
}

NetRecipe TrainOptions::recipe_of(const std::string& arm, const PictureSets& of) const {
  const Preset& size = preset_of(preset);
  return {.preset = preset,
          .arm = arm,
          .classes = of.classes,
          .short_side = short_side.value_or(size.short_side),
          .long_side = long_side.value_or(size.long_side)};
}

TrainingPlan TrainOptions::plan_of(std::uint64_t seed, Device device) const {
  const Preset& size = preset_of(preset);
  require(plan.augment.scale_low <= plan.augment.scale_high, "--scale-low: is ",
          plan.augment.scale_low, ", expected at most --scale-high, ", plan.augment.scale_high);
  TrainingPlan all = plan;
  all.epochs = epochs.value_or(size.epochs);
  all.batch = batch.value_or(size.batch);
  all.lr = lr.value_or(size.lr);
  all.rng = Rng(seed).fork("train");
  all.device = device;
  return all;
}

std::unique_ptr<FasterRCNN> TrainOptions::net_of(const NetRecipe& recipe, std::uint64_t seed,
                                                 Device device) const {
  std::unique_ptr<FasterRCNN> net = make_net(recipe);
  net->initialise(Rng(seed).fork("net"));
  if (!pretrained.empty()) {
    const State predictor = predictor_of(*net);
    std::cout << kit::start_from(pretrained, *net, prefix_of(pretrained), net->flattened_maps())
              << std::endl;
    if (head == "replace") put_back(*net, predictor);
  }
  for (const std::string& pattern : freeze) net->freeze(pattern);
  net->to(device);
  return net;
}

Json TrainOptions::json_of(const NetRecipe& recipe, const TrainingPlan& of, const PictureSets& on,
                           std::uint64_t seed) const {
  return {{"preset", recipe.preset},
          {"arm", recipe.arm},
          {"classes", recipe.classes},
          {"sides", {recipe.short_side, recipe.long_side}},
          {"data", on.source},
          {"train_split", sets.how.train_split},
          {"pictures", {on.train.size(), on.val.size()}},
          {"pretrained", pretrained},
          {"head", head},
          {"freeze", freeze},
          {"epochs", of.epochs},
          {"batch", of.batch},
          {"accumulate", of.accumulate},
          {"lr", of.lr},
          {"branch_rate", of.branch_rate},
          {"weight_decay", of.weight_decay},
          {"clip", of.clip},
          {"freeze_batch_norm", of.freeze_batch_norm},
          {"flip", of.augment.flip},
          {"scale", {of.augment.scale_low, of.augment.scale_high}},
          {"rotate", of.augment.rotate},
          {"shear", of.augment.shear},
          {"keep", keep},
          {"patience", of.patience},
          {"seed", seed}};
}

}  // namespace pliant::detect
