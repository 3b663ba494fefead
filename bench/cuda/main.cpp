// pliant-cuda-bench: what docs/performance.md says of the GPU. It also runs on the CPU, slowly.
#include <CLI/CLI.hpp>
#include <iostream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/bench/cuda/measure.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/conv_plans.h>
#include <pliant/core/gpu_options.h>
#include <pliant/core/program.h>

namespace {

using namespace pliant;
using namespace pliant::kit;
using namespace pliant::bench;

// What cuDNN has chosen for the convolutions.
nlohmann::ordered_json plans() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ConvPlan& plan : conv_plans())
    all.push_back({{"convolution", plan.convolution},
                   {"engine", plan.engine},
                   {"workspace_bytes", plan.workspace},
                   {"refusal", plan.refusal}});
  return all;
}

nlohmann::ordered_json json_of(const Measurements& measured) {
  nlohmann::ordered_json cases = nlohmann::ordered_json::array();
  for (const Measured& one : measured.all())
    cases.push_back({{"case", one.name},
                     {"ms", one.ms},
                     {"gb_per_s", static_cast<double>(one.bytes) / one.ms * 1e-6},
                     {"bytes", one.bytes},
                     {"peak_bytes", one.peak}});
  return {{"device", measured.facts().name},
          {"cache_bytes", measured.facts().cache_bytes},
          {"cases", std::move(cases)},
          {"plans", plans()}};
}

int run(const MeasureOptions& options, const std::string& json) {
  // At once, so that a run that is cut short has measured something.
  const auto write = [&](const Measurements& so_far) {
    if (json.empty()) return;
    AtomicFile file("--json", json);
    file.write(json_of(so_far).dump(1) + '\n');
    file.commit();
  };
  Measurements measured(options, write);
  std::cout << measured.facts().name << '\n';
  add_copies(measured);
  add_convolutions(measured);
  add_training_steps(measured);
  return measured.all().empty() ? 1 : 0;
}

int run(int argc, char** argv) {
  CLI::App app("Times operators and training steps on a device.", "pliant-cuda-bench");
  MeasureOptions options;
  std::string device = "cuda", precision = "full", scatter = "ordered", convolution = "automatic";
  std::string json;
  app.add_option("--device", device, "cuda or cpu")
      ->check(CLI::IsMember({"cuda", "cpu"}))
      ->capture_default_str();
  app.add_option("--precision", precision, "of products on the GPU; bfloat16: of all inputs too")
      ->check(CLI::IsMember({"full", "tf32", "bfloat16"}))
      ->capture_default_str();
  app.add_option("--scatter", scatter, "how the GPU adds up gradients by a map")
      ->check(CLI::IsMember({"ordered", "atomic"}))
      ->capture_default_str();
  app.add_option("--convolution", convolution, "the way that dense convolutions take on the GPU")
      ->check(CLI::IsMember({"automatic", "columns", "cudnn"}))
      ->capture_default_str();
  app.add_option("--cases", options.only, "only those whose name has one of these in it");
  app.add_option("--samples", options.samples, "medians are over so many")
      ->transform(whole_number(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--json", json, "write the figures to this file too");
  if (const auto status = end_of_parsing(app, argc, argv)) return *status;
  options.device = device == "cuda" ? Device::cuda() : Device::cpu();
  if (precision == "bfloat16") options.dtype = DType::bfloat16;
  set_gpu_options({.precision = precision == "tf32" ? Precision::tf32 : Precision::full,
                   .scatter = scatter == "atomic" ? Scatter::atomic : Scatter::ordered,
                   .convolution = convolution == "columns" ? ConvPath::columns
                                  : convolution == "cudnn" ? ConvPath::cudnn
                                                           : ConvPath::automatic});
  return run(options, json);
}

}  // namespace

int main(int argc, char** argv) {
  return pliant::run_program("pliant-cuda-bench", [&] { return run(argc, argv); });
}
