// One training step of the digit nets: forward, cross-entropy, gradients, Adam.
#include <benchmark/benchmark.h>

#include <pliant/apps/mnist/nets.h>

namespace pliant {
namespace {

Tensor random_images(std::int64_t n) {
  Tensor images = Tensor::empty({n, 28, 28, 1});
  for (std::int64_t i = 0; i < images.size(); ++i)
    images.mutable_data<float>()[i] = Rng(1).uniform(static_cast<std::uint64_t>(i));
  return images;
}

Tensor digits(std::int64_t n) {
  Tensor labels = Tensor::empty({n}, DType::int64);
  for (std::int64_t i = 0; i < n; ++i) labels.mutable_data<std::int64_t>()[i] = i % 10;
  return labels;
}

void train_step(benchmark::State& state, mnist::Deform deform) {
  const std::int64_t n = state.range(0);
  mnist::DigitNet net(deform);
  net.initialise(Rng(1));
  Adam adam(net.parameters(), {.lr = 1e-3});
  const Tensor images = random_images(n), labels = digits(n);
  for (auto _ : state) {
    const Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
    adam.step(tape.gradients(loss));
  }
  state.SetItemsProcessed(state.iterations() * n);
}

void train_step_regular(benchmark::State& state) { train_step(state, mnist::Deform::none); }
void train_step_dcn2(benchmark::State& state) { train_step(state, mnist::Deform::dcn2); }

void inference(benchmark::State& state) {
  mnist::DigitNet net;
  net.initialise(Rng(1));
  const Tensor images = random_images(state.range(0));
  for (auto _ : state) {
    const Var y = net(images);
    benchmark::DoNotOptimize(y.value().raw());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(train_step_regular)
    ->Arg(32)
    ->Arg(64)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(train_step_dcn2)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(inference)->Arg(1)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace pliant
