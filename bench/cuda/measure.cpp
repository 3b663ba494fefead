#include <pliant/bench/cuda/measure.h>

#include <algorithm>
#include <cstdio>

#include <pliant/core/memory.h>
#include <pliant/core/parallel.h>

namespace pliant::bench {
namespace {

constexpr int kMaxSets = 32;
constexpr int kWarmUp = 3;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Tensor normal(const Shape& shape, std::uint64_t seed, Device device) {
  Tensor t = Tensor::empty(shape);
  float* const to = t.mutable_data<float>();
  constexpr std::int64_t kBlock = 4096;
  parallel_blocks(t.size(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = static_cast<float>(Rng(seed).normal(static_cast<std::uint64_t>(i)));
  });
  return t.to(device);
}

// An idle GPU takes its time to reach its clocks.
void Measurements::wake_up() const {
  if (options_.device.is_cpu()) return;
  constexpr double kSeconds = 0.3;
  const Tensor from = Tensor::zeros({1 << 26}, DType::uint8, options_.device);
  Tensor to = Tensor::empty({1 << 26}, DType::uint8, options_.device);
  for (double busy = 0; busy < kSeconds;)
    busy += seconds_of(options_.device, [&] { to.copy_from(from); });
}

bool Measurements::wants(const std::string& name) const {
  return options_.only.empty() || std::ranges::any_of(options_.only, [&](const std::string& text) {
           return name.find(text) != std::string::npos;
         });
}

int Measurements::sets(std::int64_t bytes) const {
  const std::int64_t wanted = 2 * facts_.cache_bytes / std::max<std::int64_t>(bytes, 1) + 1;
  return static_cast<int>(std::clamp<std::int64_t>(wanted, 1, kMaxSets));
}

void Measurements::add(const std::string& name, std::int64_t bytes,
                       const std::function<void(int)>& work) {
  int turn = 0;
  const auto repeat = [&](int calls) {
    return seconds_of(options_.device,
                      [&] {
                        for (int i = 0; i < calls; ++i) work(turn++);
                      }) /
           calls;
  };
  reset_memory_peak(options_.device);
  repeat(kWarmUp);
  const std::int64_t peak = memory_use(options_.device).peak;
  const double once = repeat(kWarmUp);
  const int calls =
      static_cast<int>(std::clamp(options_.sample_seconds / std::max(once, 1e-7), 1.0, 10000.0));
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(options_.samples));
  for (int i = 0; i < options_.samples; ++i) samples.push_back(repeat(calls) * 1e3);
  all_.push_back({name, median(std::move(samples)), bytes, peak});
  const Measured& now = all_.back();
  std::printf("%-64s %10.4f ms", name.c_str(), now.ms);
  if (bytes > 0) std::printf(" %8.1f GB/s", static_cast<double>(bytes) / now.ms * 1e-6);
  std::printf(" %9.1f MiB\n", static_cast<double>(peak) / (1 << 20));
  std::fflush(stdout);
  if (after_each_) after_each_(*this);
}

void Measurements::add_op(const std::string& name, const std::vector<Shape>& shapes, Bytes bytes,
                          const std::function<Var(const Vars&)>& f) {
  const std::string forward = name + " fwd", both = name + " fwd+bwd";
  if (!wants(forward) && !wants(both)) return;
  std::int64_t size = 0;
  const std::int64_t width = size_of(dtype());
  for (const Shape& shape : shapes) size += shape.size() * width;
  std::vector<std::vector<Tensor>> inputs(static_cast<std::size_t>(sets(size)));
  for (std::vector<Tensor>& set : inputs)
    for (const Shape& shape : shapes)  // the same numbers in every set, drawn once
      set.push_back(&set == &inputs.front() ? normal(shape, set.size() + 1, device()).to(dtype())
                                            : inputs.front()[set.size()].clone());
  const auto at = [&](int turn) -> const std::vector<Tensor>& {
    return inputs[static_cast<std::size_t>(turn) % inputs.size()];
  };
  if (wants(forward))
    add(forward, bytes.forward / 4 * width,
        [&](int turn) { f(Vars(at(turn).begin(), at(turn).end())); });
  if (!wants(both)) return;
  const Tensor cotangent = f(Vars(at(0).begin(), at(0).end())).value().clone();
  add(both, bytes.both / 4 * width, [&](int turn) {
    const Tape tape;
    Vars v;
    for (const Tensor& input : at(turn)) v.push_back(tape.variable(input));
    tape.gradients(f(v), {}, {.cotangent = cotangent});
  });
}

}  // namespace pliant::bench
