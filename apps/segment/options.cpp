#include <pliant/apps/segment/options.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/fine_tuning.h>

namespace pliant::segment {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLargestCrop = 1 << 14;

void add_data_options(CLI::App& app, TrainOptions& options) {
  app.add_option("DATA", options.data, "pictures and masks");
  app.add_flag("--example", options.example, "scenes drawn by program instead of DATA");
  app.add_option("--val", options.data_options.val,
                 "share of the training set that is held out, where DATA has no val")
      ->check(kit::share_between_0_and_1())
      ->capture_default_str();
  app.add_option("--train-pictures", options.data_options.train_pictures, "use only so many")
      ->transform(kit::positive_count());
  app.add_option("--bad-files", options.bad_files, "pictures and masks that cannot be used")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
}

void add_net_options(CLI::App& app, TrainOptions& options) {
  app.add_option("--deform", options.deform, "what replace puts in the last stage")
      ->check(CLI::IsMember({"dcn1", "dcn2", "dcn3", "dcn4"}))
      ->capture_default_str();
  app.add_option("--stride", options.stride, "pixels of a picture for one of the last map")
      ->check(kit::some_path())
      ->check(CLI::IsMember({8, 16, 32}))
      ->capture_default_str();
  app.add_option("--pretrained", options.pretrained,
                 "start from this file: of pliant-segment, or torchvision's ResNet as safetensors; "
                 "what does not fit keeps its first values, and is told")
      ->check(CLI::ExistingFile);
  app.add_option("--crop-height", options.crop_height, "of what is trained on (the preset's)")
      ->transform(kit::whole_number(16, kLargestCrop));
  app.add_option("--crop-width", options.crop_width)
      ->transform(kit::whole_number(16, kLargestCrop));
}

void add_augmentation(CLI::App& app, Augmentation& augment) {
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
  app.add_option("--blur", augment.blur, "how often they are blurred")
      ->check(kit::number_from_0_to_1())
      ->capture_default_str();
}

void add_plan_options(CLI::App& app, TrainOptions& options) {
  TrainingPlan& plan = options.plan;
  app.add_option("--epochs", options.epochs, "(the preset's)")->transform(kit::positive_count());
  app.add_option("--batch", options.batch, "pictures a batch (the preset's)")
      ->transform(kit::positive_count());
  app.add_option("--accumulate", plan.accumulate, "batches a step")
      ->transform(kit::positive_count())
      ->capture_default_str();
  app.add_option("--lr", options.lr, "of the head at the first step (the preset's)")
      ->check(kit::number_above_0());
  app.add_option("--trunk-rate", options.trunk_rate, "of the trunk, times that (the preset's)")
      ->check(kit::number_above_0());
  app.add_option("--branch-rate", plan.branch_rate,
                 "of offsets and masks, times their layer's rate")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--weight-decay", plan.weight_decay)
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_option("--clip", plan.clip, "largest norm of a step's gradients; 0: any")
      ->check(kit::number_from_0())
      ->capture_default_str();
  app.add_flag("--class-weights", plan.class_weights, "rare classes count more");
  app.add_flag("--freeze-batch-norm", plan.freeze_batch_norm,
               "scale, shift and statistics of every BatchNorm stay");
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
  add_augmentation(app, plan.augment);
}

}  // namespace

void TrainOptions::add_to(CLI::App& app) {
  add_data_options(app, *this);
  add_net_options(app, *this);
  add_plan_options(app, *this);
  compute.add_to(app);
  compute.add_precision_to(app);
}

PictureSets TrainOptions::open_sets() const {
  require(example != !data.empty(),
          example ? "--example: takes no DATA" : "DATA is missing; see --help");
  require(plan.augment.scale_low <= plan.augment.scale_high, "--scale-low: is ",
          plan.augment.scale_low, ", expected at most --scale-high, ", plan.augment.scale_high);
  DataOptions how = data_options;
  how.bad_files = bad_files == "skip" ? BadFiles::skip : BadFiles::stop;
  PictureSets sets = example ? example_pictures(how) : open_pictures(data, how);
  std::cout << "data: " << printable(sets.source) << "; " << grouped(sets.train.size())
            << " to learn from, " << grouped(sets.val.size()) << " to choose by, "
            << grouped(sets.test.size()) << " to judge by; " << sets.classes.size() << " classes"
            << std::endl;
  for (const std::string& notice : sets.notices) std::cerr << "note: " << notice << std::endl;
  return sets;
}

NetRecipe TrainOptions::recipe_of(const std::string& preset, const std::string& arm,
                                  const PictureSets& sets) const {
  const Preset& of = preset_of(preset);
  return {.preset = preset,
          .arm = arm,
          .deform = deform,
          .stride = stride,
          .classes = sets.classes,
          .colours = sets.colours,
          .height = crop_height.value_or(of.height),
          .width = crop_width.value_or(of.width_of_crop)};
}

TrainingPlan TrainOptions::plan_of(const NetRecipe& recipe, std::uint64_t seed,
                                   Device device) const {
  const Preset& preset = preset_of(recipe.preset);
  TrainingPlan all = plan;
  all.epochs = epochs.value_or(preset.epochs);
  all.batch = batch.value_or(preset.batch);
  all.lr = lr.value_or(preset.lr);
  all.trunk_rate = trunk_rate.value_or(preset.trunk_rate);
  all.rng = Rng(seed).fork("train");
  all.device = device;
  all.activations = kit::activations_at(compute.precision);
  return all;
}

std::unique_ptr<DeepLabV3Plus> TrainOptions::net_of(const NetRecipe& recipe, std::uint64_t seed,
                                                    Device device) const {
  std::unique_ptr<DeepLabV3Plus> net = make_net(recipe);
  net->initialise(Rng(seed).fork("net"));
  if (!pretrained.empty()) std::cout << kit::start_from(pretrained, *net, "trunk.") << std::endl;
  net->to(device);
  return net;
}

Json TrainOptions::json_of(const NetRecipe& recipe, const TrainingPlan& of, const PictureSets& sets,
                           std::uint64_t seed) const {
  return {{"preset", recipe.preset},
          {"arm", recipe.arm},
          {"deform", recipe.deform},
          {"stride", recipe.stride},
          {"classes", recipe.classes},
          {"crop", {recipe.height, recipe.width}},
          {"data", sets.source},
          {"pictures", {sets.train.size(), sets.val.size()}},
          {"pretrained", pretrained},
          {"epochs", of.epochs},
          {"batch", of.batch},
          {"accumulate", of.accumulate},
          {"lr", of.lr},
          {"trunk_rate", of.trunk_rate},
          {"branch_rate", of.branch_rate},
          {"momentum", of.momentum},
          {"weight_decay", of.weight_decay},
          {"power", of.power},
          {"clip", of.clip},
          {"class_weights", of.class_weights},
          {"freeze_batch_norm", of.freeze_batch_norm},
          {"scale", {of.augment.scale_low, of.augment.scale_high}},
          {"rotate", of.augment.rotate},
          {"shear", of.augment.shear},
          {"blur", of.augment.blur},
          {"patience", of.patience},
          {"precision", compute.precision},
          {"seed", seed}};
}

}  // namespace pliant::segment
