// The three passes of conv2d on the CPU, in GFLOP/s at the shapes of the MNIST net and of larger
// ones. CPU time, one thread, so that neighbours on the machine disturb little.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>

namespace {

using namespace pliant;

std::vector<float> noise(std::int64_t count, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(philox(seed, i, 0).word[0]) / 2147483648.0f - 1.0f;
  return values;
}

enum class Pass : unsigned char { forward, data_gradient, weight_gradient };

// Arguments: n, height and width, c, k, taps along a side, stride; padded so that stride 1 keeps
// the size.
template <Pass pass>
void conv2d(benchmark::State& state) {
  const std::int64_t n = state.range(0), size = state.range(1), taps = state.range(4);
  const std::int64_t stride = state.range(5), pad = taps / 2;
  const std::int64_t out = (size + 2 * pad - taps) / stride + 1;
  Conv2dGeometry g{n, size, size, state.range(2), state.range(3), taps, taps, out, out};
  g.stride_h = g.stride_w = stride;
  g.pad_top = g.pad_left = pad;
  set_thread_count(1);
  auto x = noise(n * size * size * g.c, 1), weight = noise(g.k * taps * taps * g.c, 2),
       y = noise(n * out * out * g.k, 3), bias = noise(g.k, 4);
  for (auto _ : state) {
    Workspace workspace(Device::cpu());
    if constexpr (pass == Pass::forward)
      cpu::conv2d_forward(g, x.data(), weight.data(), bias.data(), y.data(), workspace);
    else if constexpr (pass == Pass::data_gradient)
      cpu::conv2d_data_gradient(g, y.data(), weight.data(), x.data(), workspace);
    else
      cpu::conv2d_weight_gradient(g, x.data(), y.data(), weight.data(), workspace);
    benchmark::ClobberMemory();
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(n * out * out * g.k * taps * taps * g.c),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "hw", "c", "k", "taps", "stride"})->Unit(benchmark::kMillisecond);
  bench->Args({32, 28, 1, 32, 3, 1})->Args({32, 28, 32, 64, 3, 2});
  bench->Args({32, 14, 64, 128, 3, 1})->Args({32, 14, 128, 128, 3, 2});
  bench->Args({8, 56, 64, 64, 3, 1})->Args({8, 56, 64, 256, 1, 1})->Args({1, 28, 32, 64, 3, 1});
}

BENCHMARK(conv2d<Pass::forward>)->Apply(shapes);
BENCHMARK(conv2d<Pass::data_gradient>)->Apply(shapes);
BENCHMARK(conv2d<Pass::weight_gradient>)->Apply(shapes);

}  // namespace
