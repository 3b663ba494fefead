// The three passes of conv2d on the CPU, in GFLOP/s at the shapes of the MNIST net and of larger
// ones, dense, depthwise and in groups. CPU time, one thread, so that neighbours on the machine
// disturb little.
#include <benchmark/benchmark.h>

#include <cstdint>

#include <pliant/bench/aligned_values.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/parallel.h>

namespace {

using namespace pliant;

enum class Pass : unsigned char { forward, data_gradient, weight_gradient };

// Arguments: n, height and width, c, k, taps along a side, stride, groups; padded so that stride 1
// keeps the size.
template <Pass pass>
void conv2d(benchmark::State& state) {
  const std::int64_t n = state.range(0), size = state.range(1), taps = state.range(4);
  const std::int64_t stride = state.range(5), pad = taps / 2;
  const std::int64_t out = (size + 2 * pad - taps) / stride + 1;
  Conv2dGeometry g{n, size, size, state.range(2), state.range(3), taps, taps, out, out};
  g.stride_h = g.stride_w = stride;
  g.pad_top = g.pad_left = pad;
  g.groups = state.range(6);
  const std::int64_t weights = g.k * taps * taps * (g.c / g.groups);
  set_thread_count(1);
  auto x = bench::normal(n * size * size * g.c, 1), weight = bench::normal(weights, 2),
       y = bench::normal(n * out * out * g.k, 3), bias = bench::normal(g.k, 4);
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
      benchmark::Counter(2e-9 * static_cast<double>(n * out * out * weights),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "hw", "c", "k", "taps", "stride", "groups"})->Unit(benchmark::kMillisecond);
  bench->Args({32, 28, 1, 32, 3, 1, 1})->Args({32, 28, 32, 64, 3, 2, 1});
  bench->Args({32, 14, 64, 128, 3, 1, 1})->Args({32, 14, 128, 128, 3, 2, 1});
  bench->Args({8, 56, 64, 64, 3, 1, 1})->Args({8, 56, 64, 256, 1, 1, 1});
  bench->Args({1, 28, 32, 64, 3, 1, 1});
  // Depthwise, of which the last has two filters a channel.
  bench->Args({8, 56, 64, 64, 3, 1, 64})->Args({8, 56, 64, 64, 3, 2, 64});
  bench->Args({32, 14, 256, 256, 3, 1, 256})->Args({32, 7, 512, 512, 3, 1, 512});
  bench->Args({8, 28, 144, 144, 5, 1, 144})->Args({8, 28, 64, 128, 3, 1, 64});
  // Groups.
  bench->Args({32, 14, 256, 256, 3, 1, 32})->Args({8, 28, 64, 64, 3, 1, 2});
}

BENCHMARK(conv2d<Pass::forward>)->Apply(shapes);
BENCHMARK(conv2d<Pass::data_gradient>)->Apply(shapes);
BENCHMARK(conv2d<Pass::weight_gradient>)->Apply(shapes);

}  // namespace
