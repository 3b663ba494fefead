#include <pliant/apps/track/options.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/fine_tuning.h>

namespace pliant::track {
namespace {

using Json = nlohmann::ordered_json;

void add_plan_options(CLI::App& app, TrainOptions& options) {
  TrainingPlan& plan = options.plan;
  app.add_option("--pairs", options.pairs, "an epoch (the preset's)")
      ->transform(kit::positive_count());
  app.add_option("--epochs", options.epochs, "(the preset's)")->transform(kit::positive_count());
  app.add_option("--batch", options.batch, "pairs a batch (the preset's)")
      ->transform(kit::positive_count());
  app.add_option("--lr", options.lr, "peak of the schedule (the preset's)")
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
  app.add_option("--keep", options.keep, "the net that was best on val, or the last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  app.add_option("--patience", plan.patience,
                 "end after so many epochs without a better one on val; 0: never")
      ->transform(kit::whole_number(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--loaders", plan.loaders, "threads that make pairs")
      ->transform(kit::whole_number(1, 256))
      ->capture_default_str();
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "time between checkpoints")
      ->check(kit::number_from_0())
      ->capture_default_str();
}

void add_pair_options(CLI::App& app, PairOptions& pairs) {
  app.add_option("--gap", pairs.gap, "frames between template and search image, at most")
      ->transform(kit::whole_number(0, 1 << 20))
      ->capture_default_str();
  const auto add_share = [&](const char* name, double& value, const char* text) {
    app.add_option(name, value, text)->check(kit::number_from_0_to_1())->capture_default_str();
  };
  add_share("--negatives", pairs.negatives, "share of pairs of two different targets");
  add_share("--generated", pairs.generated, "share of pairs from generated, bending shapes");
  add_share("--stills-share", pairs.stills, "share of pairs from the pictures of --stills");
  add_share("--flip", pairs.flip, "how often both images are mirrored");
  add_share("--search-scale", pairs.search_scale, "search images are scaled by up to so much");
  app.add_option("--search-shift", pairs.search_shift,
                 "and shifted by up to so many pixels of a search image of 255")
      ->check(kit::real_number("a number from 0 to 255",
                               [](double shift) { return shift >= 0 && shift <= 255; }))
      ->capture_default_str();
  app.add_option("--colour", pairs.colour, "strength of the random offset of colours")
      ->check(kit::real_number("a number from 0 to 1000",
                               [](double strength) { return strength >= 0 && strength <= 1000; }))
      ->capture_default_str();
}

}  // namespace

void SetOptions::add_to(CLI::App& app) {
  app.add_option("DATA", data, "sequences in the layout of VOT or OTB");
  app.add_flag("--example", example, "shapes drawn by program instead of DATA");
  app.add_option("--val", how.val,
                 "share of the sequences that is held out, where DATA has no val.txt")
      ->check(kit::share_between_0_and_1())
      ->capture_default_str();
  app.add_option("--bad-files", bad_files, "sequences that cannot be used")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
}

VideoSets SetOptions::open() const {
  require(example != !data.empty(),
          example ? "--example: takes no DATA" : "DATA is missing; see --help");
  DataOptions options = how;
  options.bad_files = how_bad_files();
  VideoSets sets = example ? example_videos() : open_videos(data, options);
  std::cout << "data: " << printable(sets.source) << "; " << sets.train.size()
            << " sequences to learn from, " << sets.val.size() << " to choose by, "
            << sets.test.size() << " to judge by" << std::endl;
  for (const std::string& notice : sets.notices) std::cerr << "note: " << notice << std::endl;
  return sets;
}

void TrainOptions::add_to(CLI::App& app) {
  sets.add_to(app);
  app.add_option(
         "--stills", stills,
         "a folder of still pictures to learn from besides, in the layout of PASCAL VOC or of "
         "COCO, its split train; may be given again")
      ->allow_extra_args(false)
      ->check(kit::some_path());
  app.add_option("--preset", preset, "how large the net is")
      ->check(CLI::IsMember(preset_names()))
      ->capture_default_str();
  app.add_option("--pretrained", pretrained,
                 "start from this file: of pliant-track, or torchvision's ResNet as safetensors")
      ->check(CLI::ExistingFile);
  add_plan_options(app, *this);
  add_pair_options(app, plan.pairs);
  compute.add_to(app);
}

VideoSets TrainOptions::open() const {
  VideoSets all = sets.open();
  if (stills.empty()) return all;
  const PairOptions& of = plan.pairs;
  require(of.generated + of.stills <= 1, "--stills-share: is ", of.stills, " beside --generated ",
          of.generated, ", expected at most 1 together");
  std::vector<std::string> notices;
  all.stills = open_stills(stills, sets.how_bad_files(), notices);
  std::cout << "stills: " << grouped(all.stills.size()) << " pictures" << std::endl;
  for (const std::string& notice : notices) std::cerr << "note: " << notice << std::endl;
  return all;
}

TrainingPlan TrainOptions::plan_of(std::uint64_t seed, Device device) const {
  const Preset& size = preset_of(preset);
  TrainingPlan all = plan;
  all.pairs.pairs = pairs.value_or(size.pairs);
  all.epochs = epochs.value_or(size.epochs);
  all.batch = batch.value_or(size.batch);
  all.lr = lr.value_or(size.lr);
  all.rng = Rng(seed).fork("train");
  all.device = device;
  return all;
}

std::unique_ptr<SiamRPN> TrainOptions::net_of(const NetRecipe& recipe, std::uint64_t seed,
                                              Device device) const {
  std::unique_ptr<SiamRPN> net = make_net(recipe);
  net->initialise(Rng(seed).fork("net"));
  if (!pretrained.empty()) std::cout << kit::start_from(pretrained, *net, "trunk.") << std::endl;
  net->to(device);
  return net;
}

Json TrainOptions::json_of(const NetRecipe& recipe, const TrainingPlan& of, const VideoSets& on,
                           std::uint64_t seed) const {
  Json json = {{"preset", recipe.preset},
               {"arm", recipe.arm},
               {"data", on.source},
               {"sequences", {on.train.size(), on.val.size()}},
               {"pretrained", pretrained},
               {"pairs", of.pairs.pairs},
               {"epochs", of.epochs},
               {"batch", of.batch},
               {"lr", of.lr},
               {"branch_rate", of.branch_rate},
               {"weight_decay", of.weight_decay},
               {"clip", of.clip},
               {"gap", of.pairs.gap},
               {"negatives", of.pairs.negatives},
               {"generated", of.pairs.generated},
               {"flip", of.pairs.flip},
               {"template", {of.pairs.template_shift, of.pairs.template_scale}},
               {"search", {of.pairs.search_shift, of.pairs.search_scale}},
               {"colour", of.pairs.colour},
               {"keep", keep},
               {"patience", of.patience},
               {"seed", seed}};
  if (!stills.empty()) {
    json["stills"] = {stills, on.stills.size()};
    json["stills_share"] = of.pairs.stills;
  }
  return json;
}

}  // namespace pliant::track
