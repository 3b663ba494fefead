#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/mnist/commands.h>
#include <pliant/apps/mnist/eval.h>
#include <pliant/apps/mnist/experiment.h>
#include <pliant/apps/mnist/report/report.h>
#include <pliant/apps/mnist/scaled56_experiment.h>
#include <pliant/apps/mnist/table.h>
#include <pliant/core/parallel.h>

namespace pliant::mnist {
namespace {

constexpr const char* kExamples = R"(
examples:
  pliant-mnist                                the table, about ten minutes on 2 cores
  pliant-mnist --preset quick                 the same in about a minute, on fewer images
  pliant-mnist --deform dcn1 --rows none,bn,offsets --json table.json
  pliant-mnist --rows every --deform dcn1,dcn2,offset-field --seeds 1,2,3 --checkpoint run
  pliant-mnist --rows every --deform dcn1,dcn2,offset-field --seeds 1,2,3 --checkpoint run --resume
  pliant-mnist --data ~/mnist --save nets     keep the trained nets
  pliant-mnist eval --weights nets/dcn2-offsets-seed1.safetensors

rows of --protocol scaled56: none, dcn1@conv4, dcn1@conv3-4, dcn2@conv4, dcn2@conv3-4, every

rows:
  none           the regular net, trained on plain digits, not fine-tuned
  bn-statistics  regular, BatchNorm's statistics alone re-estimated on scaled digits, no gradient
  bn             regular, BatchNorm fine-tuned on scaled digits (the control: no deformation)
  all            regular, everything fine-tuned (the other control)
  offsets        deformable, offset and mask heads alone, BatchNorm's statistics frozen too
  offsets+bn     deformable, heads and BatchNorm
  deform-all     deformable, everything
  every          all of these)";

struct Preset {
  std::int64_t epochs, finetune_epochs, batch, train_images;
  double deformable_lr_factor;  // many small steps want smaller ones: docs/experiment.md
};

const std::map<std::string, Preset>& presets() {
  static const std::map<std::string, Preset> all = {{"quick", {1, 1, 32, 8000, 1}},
                                                    {"standard", {3, 2, 64, 0, 1}},
                                                    {"full", {10, 20, 32, 0, 0.3}}};
  return all;
}

struct Options {
  CommonOptions common;
  ExperimentOptions experiment;
  std::string protocol = "scaled-mnist", rows, deform = "dcn2", save, checkpoint, report;
  std::int64_t epochs = 0, finetune_epochs = 0, batch = 0, train_images = 0;
  bool as_published = false, scrambled = false;
};

void print_row(const RowResult& row, bool earlier, bool seeds) {
  if (seeds) std::cout << "seed " << row.seed << ", ";
  std::cout << (row.model == "regular" ? "regular" : row.deform) << ", " << row.finetune << ": ";
  if (row.mnist) std::cout << kit::percent(*row.mnist) << " plain, ";
  std::cout << kit::percent(row.scaled) << " scaled, " << grouped(row.images_seen) << " images in "
            << kit::clock_time(row.seconds);
  if (row.seconds > 0)
    std::cout << " (" << fixed(row.images_per_second(), 0) << " images/s, loader wait "
              << kit::percent(row.wait_seconds / row.seconds) << ")";
  if (row.frozen_tensors > 0)
    std::cout << "; " << row.frozen_tensors << " frozen tensors unchanged, byte for byte";
  std::cout << (earlier ? "; done earlier" : "") << std::endl;
}

// --as-published and --scrambled say which offset-field is meant.
Deform variant_of(Deform deform, const Options& options) {
  if (deform != Deform::offset_field) return deform;
  if (options.as_published) return Deform::offset_field_as_published;
  return options.scrambled ? Deform::offset_field_scrambled : deform;
}

void check_variant(const std::vector<Deform>& deforms, const Options& options) {
  if (!options.as_published && !options.scrambled) return;
  require(std::find(deforms.begin(), deforms.end(), Deform::offset_field) != deforms.end(),
          options.as_published ? "--as-published" : "--scrambled",
          ": is of offset-field, which --deform does not name");
}

// The published benchmark trained for 10 epochs, batch 32.
void complete_scaled56(Options& options, const CLI::App& app) {
  ExperimentOptions& experiment = options.experiment;
  for (const char* unheeded : {"--deform", "--finetune-epochs", "--finetune-lr", "--test-draws",
                               "--as-published", "--scrambled", "--report", "--base"})
    require(app.count(unheeded) == 0, unheeded, ": is of the scaled-mnist protocol");
  if (options.rows.empty()) options.rows = "every";
  if (options.batch == 0) experiment.batch = 32;
}

void complete(Options& options, const CLI::App& app) {
  ExperimentOptions& experiment = options.experiment;
  const auto or_preset = [](std::int64_t given, std::int64_t preset) {
    return given > 0 ? given : preset;
  };
  const Preset& preset = presets().at(experiment.preset);
  experiment.epochs = or_preset(options.epochs, preset.epochs);
  experiment.finetune_epochs = or_preset(options.finetune_epochs, preset.finetune_epochs);
  experiment.batch = or_preset(options.batch, preset.batch);
  experiment.train_images = or_preset(options.train_images, preset.train_images);
  experiment.ledger.folder = options.checkpoint.empty() ? options.save : options.checkpoint;
  experiment.ledger.checkpoints = !options.checkpoint.empty();
  require(experiment.ledger.checkpoints || !experiment.ledger.resume,
          "--resume: expected --checkpoint with it, the folder to go on with");
  if (options.protocol == "scaled56") {
    complete_scaled56(options, app);
    return;
  }
  if (options.rows.empty()) options.rows = "none,bn,all,offsets,offsets+bn";
  if (!options.report.empty() && experiment.ledger.folder.empty())
    experiment.ledger.folder = std::filesystem::path(options.report) / "nets";
  std::vector<Deform> deforms = deforms_from(options.deform);
  check_variant(deforms, options);
  for (Deform& deform : deforms) deform = variant_of(deform, options);
  experiment.rows = rows_from(options.rows, deforms);
  experiment.deformable_lr_factor = preset.deformable_lr_factor;
}

// With the nets of the folder in which this run keeps them.
void write_report(const Options& options, const DigitSet& digits, const Results& results) {
  const std::filesystem::path nets = options.experiment.ledger.folder;
  const LabelledImages test = sets_of(digits, options.experiment).test;
  write_html_report(options.report, {.results = results,
                                     .source = digits.source,
                                     .net = [&](const RowResult& row) -> std::optional<DigitNet> {
                                       const std::filesystem::path file = nets / row.weights;
                                       if (row.weights.empty() || !std::filesystem::exists(file))
                                         return {};
                                       DigitNet net = load_digit_net(file);
                                       net.to(options.experiment.device);
                                       return net;
                                     },
                                     .test = make_test_sets(test),
                                     .raw = test,
                                     .device = options.experiment.device,
                                     .chosen = {}});
  const std::filesystem::path page = std::filesystem::path(options.report) / "index.html";
  std::cout << "report: " << printable(page.string()) << '\n';
}

Results run_protocol(const Options& options, const DigitSet& digits) {
  const ExperimentOptions& experiment = options.experiment;
  const ExperimentEvents events{.row = [&](const RowResult& row, bool earlier) {
    print_row(row, earlier, experiment.seeds.size() > 1);
  }};
  std::unique_ptr<kit::StopOnSignal> stop;
  if (experiment.ledger.checkpoints) stop = std::make_unique<kit::StopOnSignal>();
  if (options.protocol == "scaled56")
    return run_scaled56(digits, zoom_nets_from(options.rows), experiment, events);
  return run_experiment(digits, experiment, events);
}

// What would be lost, or found missing, after all has been computed.
void check_files(const Options& options) {
  const std::filesystem::path json = options.common.json;
  std::vector<kit::NamedFile> read = options.common.data_files();
  read.push_back({"--base", options.experiment.base});
  const std::filesystem::path& nets = options.experiment.ledger.folder;
  if (json.extension() == ".safetensors" || json.extension() == ".checkpoint")
    read.push_back({"a net in " + nets.string(), nets.empty() ? nets : nets / json.filename()});
  kit::require_files_of_their_own({{"--json", json}}, read);
  if (options.protocol != "scaled56" && !options.experiment.validate) require_published_files();
}

int run(Options options, const CLI::App& app) {
  ExperimentOptions& experiment = options.experiment;
  complete(options, app);
  experiment.device = options.common.set_up();
  experiment.precision = options.common.precision;
  check_files(options);
  kit::JsonFile file(options.common.json);
  if (!options.report.empty()) prepare_html_report(options.report);  // before what takes its time
  const DigitSet digits = options.common.load_digits();
  require(digits.classes() <= 10, "--data: has ", digits.classes(),
          " classes; the table is of ten, others can be trained on with train");
  std::cout << "preset " << experiment.preset << ", seed";
  for (const std::uint64_t seed : experiment.seeds) std::cout << ' ' << seed;
  std::cout << ", " << experiment.device << ", " << thread_count() << " threads" << std::endl;

  const Results results = run_protocol(options, digits);
  const bool scaled56 = options.protocol == "scaled56";
  const PublishedWeights published =
      scaled56 ? PublishedWeights{}
      : experiment.validate
          ? PublishedWeights{"not with --validate, which leaves the test set alone", {}}
          : evaluate_published(make_test_sets(digits.test), experiment.device);
  std::cout << '\n'
            << (experiment.validate ? "measured on held-out training images\n" : "")
            << table_of(results, published);
  if (digits.synthetic()) std::cout << "\n*** procedural stand-in digits, NOT MNIST ***\n";
  nlohmann::ordered_json json = json_of(results);
  json["threads"] = thread_count();
  file.write(json);
  if (!options.report.empty()) write_report(options, digits, results);
  return 0;
}

void add_schedule(CLI::App& app, Options& options) {
  app.add_option(
         "--preset", options.experiment.preset,
         "quick, standard or full (10 + 20 epochs, batch 32, deformable rows at 0.3 of their rate)")
      ->check(CLI::IsMember({"quick", "standard", "full"}))
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "of the regular net on plain digits")
      ->transform(kit::positive_count());
  app.add_option("--finetune-epochs", options.finetune_epochs, "of every row on scaled digits")
      ->transform(kit::positive_count());
  app.add_option("--batch", options.batch, "images a step")->transform(kit::positive_count());
  app.add_option("--lr", options.experiment.lr, "peak learning rate on plain digits")
      ->check(kit::number_above_0())
      ->capture_default_str();
  app.add_option("--finetune-lr", options.experiment.finetune_lr,
                 "the same in fine-tuning, for every row (default: each row's own, see "
                 "docs/experiment.md)")
      ->check(kit::number_above_0());
  app.add_option("--train-images", options.train_images, "use only so many training images")
      ->transform(kit::positive_count());
}

void add_rows(CLI::App& app, Options& options) {
  app.add_option("--protocol", options.protocol,
                 "scaled-mnist, or scaled56: the second published benchmark, 56 x 56 images, "
                 "trained end to end")
      ->check(CLI::IsMember({"scaled-mnist", "scaled56"}))
      ->capture_default_str();
  app.add_option("--rows", options.rows,
                 "which rows, separated by commas; see below (default: none,bn,all,offsets,"
                 "offsets+bn; of scaled56: every)")
      ->check(kit::some_items());
  app.add_option("--deform", options.deform,
                 "kinds of deformable nets, separated by commas: dcn1, dcn2 (with a mask), "
                 "offset-field (per channel); dcn2-context and offset-field-context, whose heads "
                 "see more")
      ->capture_default_str();
  auto* const published =
      app.add_flag("--as-published", options.as_published,
                   "offset-field as in the published code: its reshape scrambles the field, and "
                   "its derivative at integers is zero, so that offsets never leave zero");
  app.add_flag("--scrambled", options.scrambled, "offset-field with that reshape alone")
      ->excludes(published);
  const auto take_seeds = [&seeds =
                               options.experiment.seeds](const std::vector<std::string>& words) {
    try {
      seeds = kit::numbers_of("--seeds", words);
    } catch (const Error& error) {
      throw CLI::ParseError(error.what(), CLI::ExitCodes::ValidationError);
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--seeds,--seed", take_seeds,
         "of everything random but the scaled test set; several: 1,2,3")
      ->default_str("1");
  app.add_option("--test-draws", options.experiment.test_draws,
                 "measure on so many draws of the scaled test set")
      ->transform(kit::whole_number(1, 1000))
      ->capture_default_str();
}

void add_files(CLI::App& app, Options& options) {
  app.add_option("--base", options.experiment.base,
                 "start from this trained regular net (a file of --save) and do not train one")
      ->check(CLI::ExistingFile);
  auto* const save = app.add_option("--save", options.save, "keep the trained nets in this folder")
                         ->check(kit::some_path());
  auto* const checkpoint =
      app.add_option("--checkpoint", options.checkpoint,
                     "keep nets, results.json and the training under way in this folder, so that "
                     "the run can be stopped at any moment")
          ->check(kit::some_path())
          ->excludes(save);
  app.add_flag("--resume", options.experiment.ledger.resume,
               "go on with the run in the folder of --checkpoint; finished rows are not run again. "
               "With --net: with its interrupted training");
  app.add_option("--checkpoint-seconds", options.experiment.ledger.checkpoint_seconds,
                 "time between checkpoints; there is one after every epoch, too")
      ->check(kit::number_from_0())
      ->needs(checkpoint)
      ->capture_default_str();
  app.add_option("--report", options.report,
                 "write a page to look at, index.html, into this folder: table, curves, mistakes, "
                 "what deformed")
      ->check(kit::some_path());
  app.add_flag("--validate", options.experiment.validate,
               "measure on 5,000 held-out training images, for making choices");
}

}  // namespace

void add_experiment_command(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<Options>();
  app.footer(kExamples);
  options->common.add_to(app);
  options->common.add_precision_to(app);
  add_schedule(app, *options);
  add_rows(app, *options);
  add_files(app, *options);
  chosen = [options, &app] { return run(*options, app); };
}

}  // namespace pliant::mnist
