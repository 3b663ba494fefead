// The layers of an ordinary net, forward and with all gradients, and an optimizer's step: the lines
// that compare.py sets beside PyTorch's.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/bench/whole_op.h>
#include <pliant/layers/train/optimizer.h>

using namespace pliant;

namespace {

// Arguments: n, side, c, k, taps along a side, stride, groups; padded so that stride 1 keeps the
// size.
void conv2d_layer(benchmark::State& state) {
  const std::int64_t n = state.range(0), side = state.range(1), c = state.range(2);
  const std::int64_t k = state.range(3), taps = state.range(4), groups = state.range(6);
  const ConvOptions options{.stride = state.range(5), .padding = taps / 2, .groups = groups};
  bench::measure(
      state, {{n, side, side, c}, {k, taps, taps, c / groups}, {k}},
      [&](const Vars& v) { return conv2d(v[0], v[1], v[2], options); }, true);
}

void conv_shapes(benchmark::internal::Benchmark* b) {
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{32, 28, 1, 32, 3, 1, 1},
                                              {32, 28, 32, 64, 3, 2, 1},
                                              {32, 14, 64, 128, 3, 1, 1},
                                              {32, 14, 128, 128, 3, 2, 1},
                                              {8, 56, 64, 64, 3, 1, 1},
                                              {8, 56, 64, 256, 1, 1, 1},
                                              {8, 56, 256, 128, 1, 2, 1},
                                              {32, 14, 256, 256, 3, 1, 1},
                                              {32, 14, 256, 256, 3, 1, 256},
                                              {8, 56, 64, 64, 3, 2, 64}})
    b->Args(shape);
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(conv2d_layer)->Apply(conv_shapes);

void batch_norm_layer(benchmark::State& state) {  // n, side, c; statistics of the batch
  const std::int64_t n = state.range(0), side = state.range(1), c = state.range(2);
  const Tensor mean = Tensor::full({c}, 0.0), var = Tensor::full({c}, 1.0);
  bench::measure(
      state, {{n, side, side, c}, {c}, {c}},
      [&](const Vars& v) { return batch_norm2d(v[0], v[1], v[2], mean, var); }, true);
}
BENCHMARK(batch_norm_layer)
    ->Args({64, 14, 128})
    ->Args({8, 56, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void max_pool_layer(benchmark::State& state) {  // n, side, c; 2x2, stride 2
  const std::int64_t n = state.range(0), side = state.range(1), c = state.range(2);
  bench::measure(
      state, {{n, side, side, c}},
      [](const Vars& v) { return max_pool2d(v[0], {.kernel = 2, .stride = 2}); }, true);
}
BENCHMARK(max_pool_layer)->Args({8, 56, 64})->UseRealTime()->Unit(benchmark::kMillisecond);

void cross_entropy_layer(benchmark::State& state) {  // n, classes
  const std::int64_t n = state.range(0), classes = state.range(1);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int64_t>(i) * 7 % classes;
  const Tensor wanted = Tensor::from(labels, {n});
  bench::measure(
      state, {{n, classes}}, [&](const Vars& v) { return softmax_cross_entropy(v[0], wanted); },
      true);
}
BENCHMARK(cross_entropy_layer)
    ->Args({256, 10})
    ->Args({256, 1000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

template <class O>
void optimizer_step(benchmark::State& state) {  // a million weights in 16 tensors
  std::vector<Parameter> parameters;
  const Tape tape;
  Var total;
  for (int i = 0; i < 16; ++i) {
    parameters.emplace_back(bench::normal({256, 256}, static_cast<std::uint64_t>(i)),
                            "p" + std::to_string(i));
    const Var one = sum(square(tape(parameters.back())));
    total = total.defined() ? total + one : one;
  }
  O optimizer(parameters);
  const Gradients gradients = tape.gradients(total);
  for (auto _ : state) optimizer.step(gradients);
}
void adam_step(benchmark::State& state) { optimizer_step<Adam>(state); }
void nadam_step(benchmark::State& state) { optimizer_step<NAdam>(state); }
void lion_step(benchmark::State& state) { optimizer_step<Lion>(state); }
void muon_step(benchmark::State& state) { optimizer_step<Muon>(state); }
BENCHMARK(adam_step)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(nadam_step)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(lion_step)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(muon_step)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
