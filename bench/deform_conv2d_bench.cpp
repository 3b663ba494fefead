// Deformable convolution, forward and with all gradients, beside the plain convolution of the same
// shape. compare.py runs these against torchvision.
#include <benchmark/benchmark.h>

#include <pliant/bench/aligned_values.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/core/kernels/map_offsets.h>
#include <pliant/core/parallel.h>

using namespace pliant;
using bench::normal;
using bench::Values;

namespace {

constexpr int kThreads = 2;

// 3x3, padding 1, offsets N(0, 1), with a mask; arguments n, c, side, k, groups.
struct Case {
  DeformGeometry g;
  Values x, offset, mask, weight, bias, dy;
  Values y, dx, doffset, dmask, dweight, dbias;

  explicit Case(const benchmark::State& state) {
    const std::int64_t n = state.range(0), c = state.range(1), side = state.range(2);
    const std::int64_t k = state.range(3), locations = n * side * side;
    g.conv = {n, side, side, c, k, 3, 3, side, side};
    g.conv.pad_top = g.conv.pad_left = 1;
    g.conv.groups = state.range(4);
    x = normal(locations * c, 1), offset = normal(locations * 18, 2);
    mask = normal(locations * 9, 3), weight = normal(k * 9 * (c / g.conv.groups), 4);
    bias = normal(k, 5), dy = normal(locations * k, 6);
    y = dy, dx = x, doffset = offset, dmask = mask, dweight = weight, dbias = bias;
    set_thread_count(kThreads);
  }

  void forward() {
    Workspace workspace(Device::cpu());
    cpu::deform_conv_forward(g,
                             {.x = x.data(),
                              .offset = offset.data(),
                              .mask = mask.data(),
                              .weight = weight.data(),
                              .bias = bias.data(),
                              .y = y.data()},
                             workspace);
  }
  void gradient(bool inputs, bool weights) {
    Workspace workspace(Device::cpu());
    const auto to = [](Values& values, bool wanted) { return wanted ? values.data() : nullptr; };
    cpu::deform_conv_gradient(g,
                              {.x = x.data(),
                               .offset = offset.data(),
                               .mask = mask.data(),
                               .weight = weight.data(),
                               .dy = dy.data(),
                               .dx = to(dx, inputs),
                               .doffset = to(doffset, inputs),
                               .dmask = to(dmask, inputs),
                               .dweight = to(dweight, weights)},
                              workspace);
  }
  void bias_gradient() {
    const std::size_t k = dbias.size();
    dbias.assign(k, 0.0f);
    for (std::size_t row = 0; row < dy.size(); row += k)
      for (std::size_t i = 0; i < k; ++i) dbias[i] += dy[row + i];
  }
};

void forward(benchmark::State& state) {
  Case made(state);
  for (auto _ : state) made.forward();
}

void input_gradient(benchmark::State& state) {
  Case made(state);
  for (auto _ : state) made.gradient(true, false);
}

void weight_gradient(benchmark::State& state) {
  Case made(state);
  for (auto _ : state) made.gradient(false, true);
}

void forward_and_backward(benchmark::State& state) {
  Case made(state);
  for (auto _ : state) {
    made.forward();
    made.gradient(true, true);
    made.bias_gradient();
  }
}

void plain_forward(benchmark::State& state) {
  Case made(state);
  for (auto _ : state) {
    Workspace workspace(Device::cpu());
    cpu::conv2d_forward(made.g.conv, made.x.data(), made.weight.data(), made.bias.data(),
                        made.y.data(), workspace);
  }
}

// As many products, none of which Winograd saves: the taps lie two pixels apart.
void direct_forward(benchmark::State& state) {
  Case made(state);
  Conv2dGeometry g = made.g.conv;
  g.dilation_h = g.dilation_w = g.pad_top = g.pad_left = 2;
  for (auto _ : state) {
    Workspace workspace(Device::cpu());
    cpu::conv2d_forward(g, made.x.data(), made.weight.data(), made.bias.data(), made.y.data(),
                        workspace);
  }
}

// One field per channel: arguments n, c, side.
void map_offsets(benchmark::State& state) {
  const MapOffsetsGeometry g{state.range(0), state.range(2), state.range(2), state.range(1)};
  const std::int64_t size = g.n * g.h * g.w * g.c;
  const Values x = normal(size, 1), offset = normal(2 * size, 2), dy = normal(size, 3);
  Values y = x, dx = x, doffset = offset;
  set_thread_count(kThreads);
  for (auto _ : state) {
    Workspace workspace(Device::cpu());
    cpu::map_offsets_forward(g, x.data(), offset.data(), y.data(), workspace);
    cpu::map_offsets_gradient(g, x.data(), offset.data(), dy.data(), dx.data(), doffset.data(),
                              workspace);
  }
}

void shapes(benchmark::internal::Benchmark* b) {
  b->Args({32, 64, 14, 128, 1})->Args({8, 64, 56, 64, 1})->Args({32, 128, 28, 128, 1});
  b->Args({32, 32, 28, 64, 1})->Args({1, 64, 28, 64, 1});
  b->Args({32, 128, 28, 128, 4})->Args({32, 128, 28, 128, 32})->Args({32, 128, 28, 128, 128});
  b->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(forward)->Apply(shapes);
BENCHMARK(plain_forward)->Apply(shapes);
BENCHMARK(direct_forward)->Apply(shapes);
BENCHMARK(input_gradient)->Apply(shapes);
BENCHMARK(weight_gradient)->Apply(shapes);
BENCHMARK(forward_and_backward)->Apply(shapes);
BENCHMARK(map_offsets)
    ->Args({32, 32, 28})
    ->Args({32, 128, 14})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
