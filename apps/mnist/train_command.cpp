#include <iostream>

#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/interrupt.h>
#include <pliant/apps/mnist/rows.h>
#include <pliant/apps/mnist/training.h>

namespace pliant {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist train --out net.safetensors
  pliant-mnist train --out net.safetensors --data ~/fashion-mnist --epochs 10
  pliant-mnist train --out bent.safetensors --start net.safetensors --deform dcn2 --scaled
  pliant-mnist train --out net.safetensors --resume          after an interrupt)";

struct Options {
  CommonOptions common;
  std::string out, start, deform = "none";
  TrainingPlan plan{.epochs = 3, .batch = 64, .lr = 3e-3, .rng = Rng(0), .device = {}};
  std::uint64_t seed = 1;
  bool scaled = false, resume = false;
  double checkpoint_seconds = 60;
};

// Only as far as it decides the bits of the training.
nlohmann::ordered_json recipe_of(const Options& options, const DigitSet& digits) {
  return {{"dataset", digits.name},      {"train_images", digits.train_images.shape()[0]},
          {"deform", options.deform},    {"start", options.start},
          {"scaled", options.scaled},    {"epochs", options.plan.epochs},
          {"batch", options.plan.batch}, {"lr", options.plan.lr},
          {"seed", options.seed}};
}

int run(Options options) {
  options.plan.device = options.common.set_up();
  options.plan.rng = Rng(options.seed).fork("train");
  if (options.scaled) options.plan.augment = ScaleAugmentation{};
  JsonFile file(options.common.json);
  const DigitSet digits = options.common.load_digits();
  DigitNet net(options.deform == "none" ? Deform::none : deform_from(options.deform));
  net.initialise(Rng(options.seed).fork("net"));
  if (!options.start.empty())
    net.load(load_digit_net(options.start).state(), {.may_lack = head_patterns()});
  net.to(options.plan.device);

  Checkpoint checkpoint(options.out + ".checkpoint", recipe_of(options, digits),
                        options.checkpoint_seconds);
  if (!options.resume) checkpoint.remove();
  Progress progress(static_cast<double>(options.plan.epochs * digits.train().size()));
  progress.stage(options.deform == "none" ? "regular net" : options.deform);
  Training training;
  {
    const StopOnSignal stop;
    training = train(net, digits.train(), options.plan, 1.0, progress, &checkpoint);
  }
  progress.clear();
  net.save(options.out, {{"deform", options.deform}, {"seed", std::to_string(options.seed)}});
  checkpoint.remove();

  const Accuracies accuracies = evaluate(net, make_test_sets(digits.test()), options.plan.device);
  std::cout << options.out << ": " << grouped(training.images_seen) << " images in "
            << clock_time(training.seconds) << "; test set " << percent(accuracies.mnist)
            << " plain, " << percent(accuracies.scaled) << " scaled\n";
  nlohmann::ordered_json json = json_of(training);
  json["mnist"] = accuracies.mnist;
  json["scaled"] = accuracies.scaled;
  file.write(json);
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const train =
      app.add_subcommand("train", "train one net on an IDX set of 28x28 pictures of ten classes");
  const auto positive = CLI::Range(std::int64_t{1}, std::int64_t{1} << 40);
  options->common.add_to(*train);
  train->footer(kExamples);
  train->add_option("--out", options->out, "file of the trained net (safetensors)")->required();
  train->add_option("--start", options->start, "start from this net; heads may be missing")
      ->check(CLI::ExistingFile);
  train
      ->add_option("--deform", options->deform, "none or one of the kinds of pliant-mnist --deform")
      ->capture_default_str();
  train->add_flag("--scaled", options->scaled, "scale every picture at random, anew each epoch");
  train->add_option("--epochs", options->plan.epochs)->check(positive)->capture_default_str();
  train->add_option("--batch", options->plan.batch)->check(positive)->capture_default_str();
  train->add_option("--lr", options->plan.lr, "peak of the one-cycle schedule")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  train->add_option("--seed", options->seed)->capture_default_str();
  train->add_flag("--resume", options->resume, "go on with an interrupted training of this file");
  train
      ->add_option("--checkpoint-seconds", options->checkpoint_seconds,
                   "time between checkpoints, beside the file of --out")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  train->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace pliant
