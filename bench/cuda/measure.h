// Measuring work on a device: medians of its own clock, over inputs that take turns so that none is
// still in the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/autograd/tape.h>
#include <pliant/core/timing.h>

namespace pliant::bench {

struct MeasureOptions {
  Device device = {};
  int samples = 20;                    // medians are over so many
  double sample_seconds = 2e-3;        // each repeats the work for about so long
  std::vector<std::string> only = {};  // cases whose name has one of these in it; all if empty
  DType dtype = DType::float32;        // of inputs; bfloat16: mixed precision
};

struct Measured {
  std::string name;
  double ms = 0;
  std::int64_t bytes = 0;  // that must move at least; 0: not worked out
  std::int64_t peak = 0;   // bytes in use at most, inputs included
};

// Runs and collects cases; after each one calls `after_each`.
class Measurements {
 public:
  using AfterEach = std::function<void(const Measurements&)>;
  explicit Measurements(const MeasureOptions& options, AfterEach after_each = {})
      : options_(options), after_each_(std::move(after_each)), facts_(facts_of(options.device)) {
    wake_up();
  }

  Device device() const { return options_.device; }
  DType dtype() const { return options_.dtype; }
  const DeviceFacts& facts() const { return facts_; }
  bool wants(const std::string& name) const;
  // How many sets of inputs of so many bytes leave nothing of the first in the cache.
  int sets(std::int64_t bytes) const;

  // work(i) does the work once, on input set number i % sets.
  void add(const std::string& name, std::int64_t bytes, const std::function<void(int)>& work);
  // f of inputs with these shapes, alone and with its gradients by all of them. bytes: what must
  // move forward, and forward and backward, in float32.
  struct Bytes {
    std::int64_t forward, both;
  };
  void add_op(const std::string& name, const std::vector<Shape>& shapes, Bytes bytes,
              const std::function<Var(const Vars&)>& f);

  const std::vector<Measured>& all() const { return all_; }

 private:
  void wake_up() const;

  MeasureOptions options_;
  AfterEach after_each_;
  DeviceFacts facts_;
  std::vector<Measured> all_;
};

// Standard normal numbers, float32.
Tensor normal(const Shape& shape, std::uint64_t seed, Device device);

void add_copies(Measurements& to);          // the bandwidth that copies reach
void add_convolutions(Measurements& to);    // plain, depthwise, deformable
void add_training_steps(Measurements& to);  // of the digit nets

}  // namespace pliant::bench
