// What the tape costs: steps on one number, so that what is computed takes no time.
#include <benchmark/benchmark.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>

namespace pliant {
namespace {

constexpr int kSteps = 1000;

// Per step: forward off the tape, on it, and with its gradient.
void ops_without_tape(benchmark::State& state) {
  const Var one = Tensor::full({1}, 1.0);
  for (auto _ : state) {
    Var x = one;
    for (int i = 0; i < kSteps; ++i) x = add(x, one);
    benchmark::DoNotOptimize(x.value().raw());
  }
  state.SetItemsProcessed(state.iterations() * kSteps);
}

void tape_record(benchmark::State& state) {
  const Tensor one = Tensor::full({1}, 1.0);
  for (auto _ : state) {
    const Tape tape;
    Var x = tape.variable(one);
    for (int i = 0; i < kSteps; ++i) x = add(x, one);
    benchmark::DoNotOptimize(x.value().raw());
  }
  state.SetItemsProcessed(state.iterations() * kSteps);
}

void tape_gradients(benchmark::State& state) {
  const Tensor one = Tensor::full({1}, 1.0);
  for (auto _ : state) {
    const Tape tape;
    const Var start = tape.variable(one);
    Var x = start;
    for (int i = 0; i < kSteps; ++i) x = square(x);
    const Tensor gradient = tape.gradients(x)[start];
    benchmark::DoNotOptimize(gradient.raw());
  }
  state.SetItemsProcessed(state.iterations() * kSteps);
}

BENCHMARK(ops_without_tape)->Unit(benchmark::kMicrosecond);
BENCHMARK(tape_record)->Unit(benchmark::kMicrosecond);
BENCHMARK(tape_gradients)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pliant
