#include <pliant/apps/kit/compute_options.h>

#include <CLI/CLI.hpp>

#include <pliant/apps/kit/command_line.h>
#include <pliant/core/gpu_options.h>
#include <pliant/core/parallel.h>

namespace pliant::kit {

void ComputeOptions::add_to(CLI::App& app) {
  app.add_option("--device", device, "where to compute")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--threads", threads, "CPU threads (default: PLIANT_THREADS, else all)")
      ->transform(whole_number(1, 1024));
  app.add_option("--json", json, "write the results to this file too")->check(some_path());
}

void ComputeOptions::add_precision_to(CLI::App& app) {
  app.add_option("--precision", precision,
                 "of training: float32; tf32: products on a GPU's matrix units; bfloat16: "
                 "activations too, with float32 weights, sums and statistics")
      ->check(CLI::IsMember({"float32", "tf32", "bfloat16"}))
      ->capture_default_str();
}

Device ComputeOptions::set_up() const {
  if (precision == "tf32") set_gpu_options({.precision = Precision::tf32});
  if (threads > 0) set_thread_count(threads);
  if (device == "cpu") return Device::cpu();
  return device == "cuda" ? Device::cuda() : Device::best();
}

std::optional<DType> activations_at(const std::string& precision) {
  return precision == "bfloat16" ? std::optional(DType::bfloat16) : std::nullopt;
}

}  // namespace pliant::kit
