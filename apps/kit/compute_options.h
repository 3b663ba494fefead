// The options of every program that computes: where, on how many threads, in which precision, and
// the file for its results.
#pragma once

#include <optional>
#include <string>

#include <pliant/core/device.h>
#include <pliant/core/dtype.h>

namespace CLI {
class App;
}

namespace pliant::kit {

struct ComputeOptions {
  std::string device = "auto", json, precision = "float32";
  int threads = 0;

  void add_to(CLI::App& app);            // --device, --threads, --json
  void add_precision_to(CLI::App& app);  // --precision, of commands that train
  // Sets the number of threads and the GPU's precision, and gives the device.
  Device set_up() const;
};

// What TapeOptions::activations is at a --precision.
std::optional<DType> activations_at(const std::string& precision);

}  // namespace pliant::kit
