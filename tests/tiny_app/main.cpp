// pliant-tiny-app: the smallest program on apps/kit and apps/page. It learns to tell discs from
// rings, goes on where it was stopped, and writes a net, a page and its figures into a folder.
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/compute_options.h>
#include <pliant/apps/kit/files.h>
#include <pliant/apps/kit/interrupt.h>
#include <pliant/apps/kit/text_table.h>
#include <pliant/apps/kit/training_steps.h>
#include <pliant/apps/page/chart.h>
#include <pliant/apps/page/page.h>
#include <pliant/core/program.h>
#include <pliant/data/batches.h>
#include <pliant/data/resident_batches.h>
#include <pliant/layers/layers.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 9, kImages = 96, kBatch = 20;

// Images of a disc (label 0) or a ring (1) somewhere, float32 [N 9 9 1].
LabelledImages shapes(const Rng& rng) {
  LabelledImages set{Tensor::zeros({kImages, kSide, kSide, 1}),
                     Tensor::zeros({kImages}, DType::int64)};
  float* pixel = set.images.mutable_data<float>();
  for (std::int64_t n = 0; n < kImages; ++n) {
    const auto number = [&](const char* what, double low, double high) {
      return rng.fork(what).uniform(static_cast<std::uint64_t>(n), low, high);
    };
    const double y = number("y", 3, 5), x = number("x", 3, 5), radius = number("radius", 2, 3.5);
    const bool ring = n % 2 == 1;
    set.labels.mutable_data<std::int64_t>()[n] = ring ? 1 : 0;
    for (std::int64_t i = 0; i < kSide; ++i)
      for (std::int64_t j = 0; j < kSide; ++j) {
        const double away = std::hypot(static_cast<double>(i) - y, static_cast<double>(j) - x);
        *pixel++ = away < radius && !(ring && away < radius - 1) ? 1.0f : 0.0f;
      }
  }
  return set;
}

struct Net : Module {
  Conv2d stem = own("stem", Conv2d(1, 4, {.kernel = 3, .padding = 1}));
  DeformConv2d bent = own("bent", DeformConv2d(4, 8, {.kernel = 3, .stride = 2, .padding = 1}));
  Dropout dropout = own("dropout", Dropout(0.2));
  Linear head = own("head", Linear(8, 2));
  Var operator()(const Var& x) const {
    return head(dropout(global_avg_pool2d(relu(bent(relu(stem(x)))))));
  }
};

struct Options {
  kit::ComputeOptions compute;
  std::string out;
  std::int64_t epochs = 3;
  bool captured = false;

  fs::path file(const char* name) const { return fs::path(out) / name; }
};

double accuracy(const Net& net, const LabelledImages& set, Device device) {
  const Tensor guesses = argmax(net(set.images.to(device)), -1).to(Device::cpu());
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < set.size(); ++i)
    right += guesses.data<std::int64_t>()[i] == set.labels.data<std::int64_t>()[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(set.size());
}

kit::Training trained(Net& net, const LabelledImages& set, const Options& options, Device device,
                      kit::Checkpoint& checkpoint) {
  Adam adam(net.parameters(), {.lr = 0.01});
  MovingAverage average(net, {.decay = 0.95});
  const kit::StepRule<LabelledImages> rule{
      .optimizer = adam,
      .forward = [&net](const Tape& tape, const LabelledImages& batch) -> kit::StepOutput {
        const Var logits = net(tape.input(batch.images));
        return {softmax_cross_entropy(logits, batch.labels), logits, batch.labels};
      },
      .lr = constant_lr(0.01),
      .epochs = options.epochs,
      .batch = kBatch,
      .rng = Rng(3),
      .device = device,
      .average = &average};
  const BatchOptions batches{.size = kBatch, .shuffle = Rng(4), .device = device};
  std::unique_ptr<kit::TrainingSteps> steps;
  if (options.captured)
    steps = std::make_unique<kit::CapturedSteps<ResidentBatches, LabelledImages>>(
        ResidentBatches(set, batches, options.epochs), rule);
  else
    steps = std::make_unique<kit::PlainSteps<Batches, LabelledImages>>(Batches(set, batches), rule);
  kit::Progress progress(static_cast<double>(options.epochs * set.size()));
  progress.stage("discs and rings");
  kit::Training training =
      kit::train(*steps, {.net = net, .optimizers = {{"adam", adam}}, .average = &average},
                 {.epochs = options.epochs,
                  .measure =
                      [&](std::int64_t) {
                        const AveragedWeights averaged(average);
                        return accuracy(net, set, device);
                      }},
                 progress, &checkpoint);
  average.swap();  // the averages are what is kept
  return training;
}

std::string page_of(const kit::Training& training) {
  page::ChartLine loss{.name = "loss", .points = {}};
  for (const kit::CurvePoint& point : training.curve)
    loss.points.emplace_back(point.epoch, point.loss);
  const std::string chart = page::line_chart(
      {.title = "Training loss", .x_label = "epochs", .y_label = "cross-entropy"}, {loss});
  return page::html_of(
      {.title = "Discs & rings",
       .body = "<main>\n" +
               page::section("loss", "How it went",
                             page::paragraph(grouped(training.images_seen) + " images") +
                                 page::legend({loss}) + chart) +
               "</main>\n"});
}

int run(const Options& options) {
  const Device device = options.compute.set_up();
  kit::require_files_of_their_own(
      {{"--json", options.compute.json}, {"the net of --out", options.file("net.safetensors")}},
      {});
  kit::JsonFile json(options.compute.json);
  page::prepare_page("--out", options.out);
  const LabelledImages set = shapes(Rng(1));
  Net net;
  net.initialise(Rng(2));
  net.to(device);
  kit::Checkpoint checkpoint(
      options.file("net.checkpoint"),
      kit::recipe_from({{"epochs", options.epochs}, {"captured", options.captured}}),
      /*every_seconds=*/0);
  kit::Training training;
  {
    const kit::StopOnSignal stop;
    training = trained(net, set, options, device, checkpoint);
  }
  net.save(options.file("net.safetensors"));
  page::write_page("--out", options.out, page_of(training));
  json.write(kit::json_of(training));
  checkpoint.remove();
  std::cout << kit::percent(training.epochs.back().measured) << " right\n";
  return 0;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Learns to tell discs from rings."};
  Options options;
  options.compute.add_to(app);
  app.add_option("--out", options.out, "folder for net, page and checkpoint")
      ->required()
      ->check(kit::some_path());
  app.add_option("--epochs", options.epochs)->transform(kit::positive_count());
  app.add_flag("--captured", options.captured, "replay captured steps");
  if (const auto status = kit::end_of_parsing(app, argc, argv)) return *status;
  try {
    return run(options);
  } catch (const kit::Interrupted& interrupted) {
    std::cerr << "\npliant-tiny-app: interrupted; start it again to go on\n";
    return 128 + interrupted.signal();
  }
}

}  // namespace
}  // namespace pliant

int main(int argc, char** argv) {
  return pliant::run_program("pliant-tiny-app", [&] { return pliant::parse_and_run(argc, argv); });
}
