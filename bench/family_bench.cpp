// The rest of the deformable family, forward and backward: deformable kernels beside deform_conv,
// conditional convolution beside the plain one, the cores of DCN v3 and v4. Whole ops on a tape, so
// that all lines measure the same: result and all gradients.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/bench/whole_op.h>

using namespace pliant;

namespace {

// The benchmark's arguments: n, c = k, side; 3x3, padding 1.
struct Sizes {
  std::int64_t n, c, side;
  explicit Sizes(const benchmark::State& state)
      : n(state.range(0)), c(state.range(1)), side(state.range(2)) {}
  Shape x() const { return {n, side, side, c}; }
  Shape field(std::int64_t channels) const { return {n, side, side, channels}; }
};

struct Line {
  const char* name;
  std::function<std::vector<Shape>(const Sizes&)> inputs;
  std::function<Var(const Vars&)> f;
};

// Groups that are one channel each where `depthwise`.
std::int64_t groups_of(const Vars& v, bool depthwise) { return depthwise ? v[0].dim(3) : 1; }

Line plain_line() {
  return {"conv2d",
          [](const Sizes& s) -> std::vector<Shape> {
            return {s.x(), {s.c, 3, 3, s.c}};
          },
          [](const Vars& v) { return conv2d(v[0], v[1], {}, {.padding = 1}); }};
}

Line deform_conv_line(const char* name, bool depthwise) {
  return {name,
          [=](const Sizes& s) -> std::vector<Shape> {
            return {s.x(), s.field(18), {s.c, 3, 3, depthwise ? 1 : s.c}};
          },
          [=](const Vars& v) {
            return deform_conv2d(v[0], v[1], v[2], {}, {},
                                 {.padding = 1, .groups = groups_of(v, depthwise)});
          }};
}

Line deform_kernel_line(const char* name, bool depthwise) {
  return {name,
          [=](const Sizes& s) -> std::vector<Shape> {
            return {s.x(), s.field(18), {s.c, 4, 4, depthwise ? 1 : s.c}};
          },
          [=](const Vars& v) {
            return deform_kernel(v[0], v[1], v[2], {},
                                 {.padding = 1, .groups = groups_of(v, depthwise)});
          }};
}

Line deform_kernel_conv_line(const char* name, bool depthwise) {
  return {name,
          [=](const Sizes& s) -> std::vector<Shape> {
            return {s.x(), s.field(18), s.field(18), {s.c, 4, 4, depthwise ? 1 : s.c}};
          },
          [=](const Vars& v) {
            return deform_kernel_conv(v[0], v[1], v[2], v[3], {},
                                      {.padding = 1, .groups = groups_of(v, depthwise)});
          }};
}

std::vector<Line> lines() {
  return {
      plain_line(),
      deform_conv_line("deform_conv2d", false),
      deform_conv_line("deform_conv2d depthwise", true),
      deform_kernel_line("deform_kernel", false),
      deform_kernel_line("deform_kernel depthwise", true),
      deform_kernel_conv_line("deform_kernel_conv", false),
      deform_kernel_conv_line("deform_kernel_conv depthwise", true),
      {"global_deform_kernel",
       [](const Sizes& s) -> std::vector<Shape> {
         return {s.x(), {s.n, 18}, {s.c, 4, 4, s.c}};
       },
       [](const Vars& v) { return global_deform_kernel(v[0], v[1], v[2], 3, {}, {.padding = 1}); }},
      {"cond_conv2d, 8 experts",
       [](const Sizes& s) -> std::vector<Shape> {
         return {s.x(), {8, s.c, 3, 3, s.c}, {s.n, 8}};
       },
       [](const Vars& v) { return cond_conv2d(v[0], v[1], v[2], {}, {.padding = 1}); }},
      {"dcn_v3, 4 groups, softmax",
       [](const Sizes& s) -> std::vector<Shape> {
         return {s.x(), s.field(72), s.field(36)};
       },
       [](const Vars& v) {
         return dcn_v3(v[0], v[1], v[2], {.padding = 1, .groups = 4, .mask = MaskRule::softmax});
       }},
      {"dcn_v4, 4 groups",
       [](const Sizes& s) -> std::vector<Shape> {
         return {s.x(), s.field(112)};
       },
       [](const Vars& v) { return dcn_v4(v[0], v[1], {.padding = 1, .groups = 4}); }},
  };
}

void shapes(benchmark::internal::Benchmark* b) {
  b->Args({32, 64, 14})->Args({8, 64, 56})->Args({1, 64, 28});
  b->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

const bool registered = [] {
  for (const Line& line : lines())
    for (const bool backward : {false, true}) {
      const std::string name = line.name + std::string(backward ? ", forward and backward" : "");
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
        bench::measure(state, line.inputs(Sizes(state)), line.f, backward);
      })->Apply(shapes);
    }
  return true;
}();

}  // namespace
