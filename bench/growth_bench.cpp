// How the cost of training one DeformConv2d (offsets and mask from its own branch, all gradients)
// grows with the batch, the channels and the resolution: time for each product of the convolution,
// which would not change if cost were linear in the work, and the most memory held at once.
#include <benchmark/benchmark.h>

#include <pliant/autograd/tape.h>
#include <pliant/core/memory.h>
#include <pliant/layers/deform_conv2d.h>

namespace pliant {
namespace {

// Arguments: n, side, channels in and out.
void deform_layer(benchmark::State& state) {
  const std::int64_t n = state.range(0), side = state.range(1), c = state.range(2);
  DeformConv2d layer(c, c, {.kernel = 3, .padding = 1, .modulation = Modulation::twice_sigmoid});
  layer.initialise(Rng(1));
  const Tensor x = Tensor::full({n, side, side, c}, 0.5);
  const Tensor cotangent = Tensor::full({n, side, side, c}, 0.1);
  reset_memory_peak(Device::cpu());
  for (auto _ : state) {
    const Tape tape;
    const Var y = layer(tape.variable(x));
    tape.gradients(y, {}, {.cotangent = cotangent});
  }
  const double products = static_cast<double>(n * side * side * 9 * c * c);
  state.counters["ps/product"] =
      benchmark::Counter(products * 1e-12, benchmark::Counter::kIsIterationInvariantRate |
                                               benchmark::Counter::kInvert);
  state.counters["peak MB"] = static_cast<double>(memory_use(Device::cpu()).peak) * 1e-6;
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "side", "c"})->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const std::int64_t n : {1, 4, 16, 64}) bench->Args({n, 28, 64});
  for (const std::int64_t side : {14, 56, 112, 224}) bench->Args({4, side, 64});
  for (const std::int64_t c : {32, 128, 256}) bench->Args({4, 28, c});
  bench->Args({1, 1024, 64});
}
BENCHMARK(deform_layer)->Apply(shapes);

}  // namespace
}  // namespace pliant
