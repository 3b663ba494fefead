#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/named_nets.h>
#include <pliant/apps/mnist/rows.h>
#include <pliant/apps/mnist/training.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/file_lock.h>
#include <pliant/core/file_name.h>

namespace pliant::mnist {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist train --out net.safetensors
  pliant-mnist train --out net.safetensors --data ~/fashion-mnist --epochs 10
  pliant-mnist train --out net.safetensors --net resnet18 --epochs 2
  pliant-mnist train --out bent.safetensors --start net.safetensors --deform dcn2 --scaled
  pliant-mnist train --out net.safetensors --resume          after an interrupt
  mpirun -n 2 pliant-mnist train --out net.safetensors --threads 1    on two processes)";

struct Options {
  CommonOptions common;
  std::string out, start;
  NamedNet named;
  TrainingPlan plan{.epochs = 3, .batch = 64, .lr = 3e-3, .rng = Rng(0), .device = {}};
  std::uint64_t seed = 1;
  std::int64_t train_images = 0;  // 0: all
  std::int64_t classes = 0;       // 0: as many as the labels ask for, ten at least
  bool scaled = false, resume = false;
  double checkpoint_seconds = 60;
  kit::RankOptions ranks;

  std::string checkpoint() const { return with_suffix(out, ".checkpoint").string(); }
};

// Only as far as it decides the bits of the training.
nlohmann::ordered_json recipe_of(const Options& options, const DigitSet& digits,
                                 const LabelledImages& set) {
  nlohmann::ordered_json recipe = {{"dataset", digits.name},
                                   {"train_images", set.size()},
                                   {"images_crc32", checksum(set.images)},
                                   {"labels_crc32", checksum(set.labels)},
                                   {"deform", options.named.deform},
                                   {"start", options.start},
                                   {"scaled", options.scaled},
                                   {"epochs", options.plan.epochs},
                                   {"batch", options.plan.batch},
                                   {"lr", options.plan.lr},
                                   {"seed", options.seed}};
  if (options.named.net != "digit") {
    recipe["net"] = options.named.net;
    recipe["stages"] = options.named.stages;
  }
  if (options.named.classes != 10) recipe["classes"] = options.named.classes;
  if (options.plan.ranks.parts != 1) recipe["parts"] = options.plan.ranks.parts;
  if (options.common.precision != "float32") recipe["precision"] = options.common.precision;
  return recipe;
}

std::int64_t class_count(const Options& options, const DigitSet& digits) {
  const std::int64_t wanted = digits.classes();
  if (options.classes == 0) return std::max<std::int64_t>(10, wanted);
  require(wanted <= options.classes, "--classes: is ", options.classes,
          ", but the labels go up to ", wanted - 1);
  return options.classes;
}

// At the start, where an Error costs no training; nor does a forgotten --resume.
void check_files(const Options& options) {
  require_training_checkpoint(options.checkpoint());
  std::error_code error;
  require(options.resume || !std::filesystem::exists(options.checkpoint(), error),
          options.checkpoint(),
          ": holds an interrupted training; add --resume to go on with it, or delete it");
  remove_stale_temporaries(options.out);
}

// Where one rank may download what the others read.
DigitSet load_digits(const Options& options, const Group& group) {
  if (!group.leads()) group.barrier();
  DigitSet digits = options.common.load_digits();
  if (group.leads()) group.barrier();
  return digits;
}

int run(Options options, const Group& group) {
  options.plan.ranks = options.ranks.plan(options.plan.batch, group);
  if (!group.leads()) options.common.json = "";
  options.plan.device = options.common.set_up();
  options.plan.activations = kit::activations_at(options.common.precision);
  options.plan.rng = Rng(options.seed).fork("train");
  if (options.scaled) options.plan.augment = ScaleAugmentation{};
  std::vector<kit::NamedFile> read = options.common.data_files();
  read.push_back({"--start", options.start});
  kit::require_files_of_their_own({{"the checkpoint beside --out", options.checkpoint()},
                                   {"the lock beside --out", with_suffix(options.out, ".lock")},
                                   {"--out", options.out},
                                   {"--json", options.common.json}},
                                  read);
  kit::JsonFile file(options.common.json);
  make_net(options.named);  // a name that there is not costs no download
  std::unique_ptr<const FileLock> lock;
  if (group.leads()) {
    { const AtomicFile proof("--out", options.out); }
    lock = std::make_unique<const FileLock>(with_suffix(options.out, ".lock"),
                                            "--out: another process is training into this file");
    check_files(options);
  }
  const DigitSet digits = load_digits(options, group);
  options.named.classes = class_count(options, digits);
  const std::unique_ptr<Classifier> net = make_net(options.named);
  const LabelledImages set = first_images(digits.train, options.train_images);
  net->initialise(Rng(options.seed).fork("net"));
  if (!options.start.empty()) start_from(options.start, *net, options.named);
  net->to(options.plan.device);

  kit::Checkpoint checkpoint(options.checkpoint(),
                             kit::recipe_from(recipe_of(options, digits, set)),
                             options.checkpoint_seconds, group.leads());
  kit::Progress progress(static_cast<double>(options.plan.epochs * set.size()));
  progress.stage(options.named.title() == "none" ? "regular net" : options.named.title());
  kit::Training training;
  {
    const kit::StopOnSignal stop;
    training = train(*net, set, options.plan, 1.0, progress, &checkpoint);
  }
  progress.clear();
  if (!group.leads()) return 0;
  save_net(options.out, *net, options.named, options.seed);
  checkpoint.remove();

  const Accuracies accuracies = evaluate(*net, make_test_sets(digits.test), options.plan.device);
  std::cout << printable(options.out) << ": " << grouped(training.images_seen) << " images in "
            << kit::clock_time(training.seconds) << "; test set " << kit::percent(accuracies.mnist)
            << " plain, " << kit::percent(accuracies.scaled) << " scaled\n";
  nlohmann::ordered_json json = kit::json_of(training, kMeasured);
  json["mnist"] = accuracies.mnist;
  json["scaled"] = accuracies.scaled;
  file.write(json);
  return 0;
}

int run_on_ranks(const Options& options) {
  return kit::on_ranks([&](const Group& group) { return run(options, group); });
}

// `pliant-mnist --net NAME [options]`: `train --net NAME` with those options of the program that
// training has too, into NAME.safetensors of the folder of --save.
void add_net_option(CLI::App& app, Command& chosen) {
  const auto name = std::make_shared<std::string>();
  CLI::Option* const net =
      app.add_option("--net", *name,
                     "train this one net on plain digits (see train --help) instead of the table; "
                     "takes --epochs --batch --lr --seed --train-images --save --resume too")
          ->check(CLI::IsMember(net_names()));
  app.final_callback([&app, &chosen, net, name] {
    if (net->count() == 0) return;
    require(app.get_subcommands().empty(), "--net: write it after train");
    static const std::set<std::string> shared = {
        "--net", "--data",  "--device",       "--json", "--threads",   "--epochs", "--batch",
        "--lr",  "--seeds", "--train-images", "--save", "--precision", "--resume"};
    for (const CLI::Option* option : app.get_options())
      require(option->count() == 0 || shared.contains(option->get_name()), option->get_name(),
              ": is of the table, not of --net");
    const auto take = [&app](const char* option, auto& value) {
      if (app.count(option) > 0) app.get_option(option)->results(value);
    };
    Options options;
    options.named.net = *name;
    std::string folder;
    std::vector<std::string> seeds;
    take("--data", options.common.data);
    take("--device", options.common.device);
    take("--json", options.common.json);
    take("--precision", options.common.precision);
    take("--threads", options.common.threads);
    take("--epochs", options.plan.epochs);
    take("--batch", options.plan.batch);
    take("--lr", options.plan.lr);
    take("--seeds", seeds);
    take("--train-images", options.train_images);
    take("--save", folder);
    take("--resume", options.resume);
    const std::vector<std::uint64_t> numbers = kit::numbers_of("--seeds", seeds);
    require(numbers.size() <= 1, "--seeds: --net trains one net, so it takes one seed, not ",
            numbers.size());
    if (!numbers.empty()) options.seed = numbers.front();
    options.out = (std::filesystem::path(folder) / (*name + ".safetensors")).string();
    if (!folder.empty()) std::filesystem::create_directories(folder);
    chosen = [options] { return run_on_ranks(options); };
  });
}

}  // namespace

void add_train_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* const train =
      app.add_subcommand("train", "train one net on an IDX set of 28x28 images");
  options->common.add_to(*train);
  options->common.add_precision_to(*train);
  train->footer(kExamples);
  train->add_option("--out", options->out, "file of the trained net (safetensors)")
      ->required()
      ->check(kit::some_path());
  train->add_option("--start", options->start, "start from this net; heads may be missing")
      ->check(CLI::ExistingFile);
  train
      ->add_option("--deform", options->named.deform,
                   "of the digit net: none or one of the kinds of pliant-mnist --deform")
      ->capture_default_str();
  train->add_option("--net", options->named.net, "digit, the four-layer net, or one of layers/nets")
      ->check(CLI::IsMember(net_names()))
      ->capture_default_str();
  train
      ->add_option("--deform-stages", options->named.stages,
                   "of the other nets: stages whose 3x3 convolutions deform, as in 3,4, or extra: "
                   "a deformable convolution more in every block of the last stage")
      ->capture_default_str();
  train->add_option("--train-images", options->train_images, "use only so many training images")
      ->transform(kit::positive_count());
  train
      ->add_option("--classes", options->classes,
                   "so many classes (default: as many as the labels ask for, ten at least)")
      ->transform(kit::whole_number(2, 256));
  train->add_flag("--scaled", options->scaled, "scale every image at random, anew each epoch");
  train->add_option("--epochs", options->plan.epochs)
      ->transform(kit::positive_count())
      ->capture_default_str();
  train->add_option("--batch", options->plan.batch)
      ->transform(kit::positive_count())
      ->capture_default_str();
  train->add_option("--lr", options->plan.lr, "peak of the one-cycle schedule")
      ->check(kit::number_above_0())
      ->capture_default_str();
  train->add_option("--seed", options->seed)
      ->transform(kit::whole_number(0))
      ->capture_default_str();
  train->add_flag("--resume", options->resume, "go on with an interrupted training of this file");
  train
      ->add_option("--checkpoint-seconds", options->checkpoint_seconds,
                   "time between checkpoints, beside the file of --out")
      ->check(kit::number_from_0())
      ->capture_default_str();
  options->ranks.add_to(*train);
  train->callback([options, &chosen] { chosen = [options] { return run_on_ranks(*options); }; });
  add_net_option(app, chosen);
}

}  // namespace pliant::mnist
