// What nets over sequences are made of, forward and with all gradients: the lines that compare.py
// sets beside PyTorch's. Threads are as many as PLIANT_THREADS says.
#include <benchmark/benchmark.h>

#include <cstdint>

#include <pliant/autograd/ops/attention.h>
#include <pliant/bench/whole_op.h>
#include <pliant/layers/recurrent.h>
#include <pliant/layers/transformer.h>

using namespace pliant;

namespace {

void attention(benchmark::State& state) {  // matrices, length, features of a head, causal
  const Shape shape{state.range(0), state.range(1), state.range(2)};
  const AttentionOptions options{.causal = state.range(3) == 1};
  const Tensor query = bench::normal(shape, 1), key = bench::normal(shape, 2),
               value = bench::normal(shape, 3), cotangent = bench::normal(shape, 4);
  for (auto _ : state) {
    const Tape tape;
    const Var y = scaled_dot_product_attention(tape.variable(query), tape.variable(key),
                                               tape.variable(value), options);
    tape.gradients(y, {}, {.cotangent = cotangent});
  }
}
BENCHMARK(attention)
    ->Args({64, 128, 32, 0})
    ->Args({64, 512, 64, 0})
    ->Args({64, 512, 64, 1})
    ->Args({8, 2048, 64, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// A layer's output from x, and the gradients by x and all parameters.
template <class Net, class Output>
void train(benchmark::State& state, Net& net, const Shape& shape, Output output) {
  net.initialise(Rng(1));
  const Tensor x = bench::normal(shape, 1);
  const Tensor cotangent = bench::normal(output(Var(x)).shape(), 2);
  for (auto _ : state) {
    const Tape tape;
    tape.gradients(output(tape.variable(x)), {}, {.cotangent = cotangent});
  }
}

template <class Net>
void recurrent(benchmark::State& state) {  // batch, steps, features, units
  Net net(state.range(2), state.range(3));
  train(state, net, {state.range(0), state.range(1), state.range(2)},
        [&](const Var& x) { return net(x).y; });
}
void lstm(benchmark::State& state) { recurrent<LSTM>(state); }
void gru(benchmark::State& state) { recurrent<GRU>(state); }

void recurrent_shapes(benchmark::internal::Benchmark* b) {
  b->Args({64, 28, 28, 128})->Args({32, 64, 256, 256})->Args({16, 32, 512, 512});
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(lstm)->Apply(recurrent_shapes);
BENCHMARK(gru)->Apply(recurrent_shapes);

void transformer_layer(benchmark::State& state) {  // batch, length, features, heads
  TransformerEncoderLayer net(state.range(2), state.range(3),
                              {.feed_forward = 4 * state.range(2), .dropout = 0});
  train(state, net, {state.range(0), state.range(1), state.range(2)},
        [&](const Var& x) { return net(x); });
}
BENCHMARK(transformer_layer)
    ->Args({16, 128, 256, 8})
    ->Args({8, 197, 384, 6})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
