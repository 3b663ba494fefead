#include <doctest/doctest.h>

#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/core/column_memory.h>
#include <pliant/core/memory.h>
#include <pliant/core/parallel.h>
#include <pliant/layers/deform_conv2d.h>
#include <pliant/tests/deform_conv2d_arrays.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Bytes that `f` takes at most beside what is in use.
template <class F>
double peak_of(F&& f) {
  reset_memory_peak(Device::cpu());
  const std::int64_t before = memory_use(Device::cpu()).current;
  f();
  return static_cast<double>(memory_use(Device::cpu()).peak - before);
}

}  // namespace

TEST_CASE("a limit to the memory of the columns changes no bit") {
  for (const Make& make :
       std::vector<Make>{{.n = 7, .h = 9, .w = 11, .c = 20, .k = 17},
                         {.n = 3, .h = 16, .w = 13, .c = 36, .k = 36, .groups = 2},
                         {.n = 5, .h = 11, .w = 16, .c = 36, .k = 24, .groups = 12},
                         {.n = 2, .h = 16, .w = 16, .c = 19, .k = 19, .groups = 19}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 8));
    const Result<float> free = run(g, a);
    for (const std::int64_t bytes : {1, 7'001, 50'000, 1'000'000, 100'000'000}) {
      set_column_memory(bytes);
      check_same(free, run(g, a));
    }
    set_column_memory(0);
  }
  CHECK_THROWS_WITH_AS(set_column_memory(-1),
                       "set_column_memory: expected a number of bytes, or 0 for the library's "
                       "choice, got -1",
                       Error);
}

TEST_CASE("kernels of more taps than are walked at a time: a limit and threads change no bit") {
  const int before = thread_count();
  for (const Make& make :
       std::vector<Make>{{.n = 1, .h = 14, .w = 13, .c = 8, .k = 16, .kernel = 12, .padding = 6},
                         {.n = 1,
                         .h = 14,
                         .w = 13,
                         .c = 8,
                         .k = 8,
                         .kernel = 12,
                         .padding = 6,
                         .groups = 8,
                         .offset_groups = 2}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 10));
    const Result<float> free = run(g, a);
    set_column_memory(50'000);
    for (const int threads : {1, 3}) {
      set_thread_count(threads);
      check_same(free, run(g, a));
    }
    set_thread_count(before);
    set_column_memory(0);
  }
}

TEST_CASE("columns take the memory that they may, to a tenth") {
  const DeformGeometry g = geometry({.n = 5, .h = 67, .w = 61, .c = 32, .k = 16});
  const Arrays<float> a = as<float>(random_arrays(g, 9));
  Result<float> out = run(g, a);
  const double weights = static_cast<double>(4 * a.weight.size());
  for (const std::int64_t bytes : {1'000'000, 4'000'000, 16'000'000}) {
    set_column_memory(bytes);
    const double limit = static_cast<double>(bytes);
    const double forward = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_forward(g,
                               {.x = a.x.data(),
                                .offset = a.offset.data(),
                                .mask = a.mask.data(),
                                .weight = a.weight.data(),
                                .bias = nullptr,
                                .y = out.y.data()},
                               workspace);
    });
    CHECK(forward >= 0.9 * limit);
    CHECK(forward <= 1.1 * limit);
    const double input = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_gradient(g,
                                {.x = a.x.data(),
                                 .offset = a.offset.data(),
                                 .mask = a.mask.data(),
                                 .weight = a.weight.data(),
                                 .dy = a.dy.data(),
                                 .dx = out.dx.data(),
                                 .doffset = nullptr,
                                 .dmask = nullptr,
                                 .dweight = nullptr},
                                workspace);
    });
    CHECK(input <= 1.1 * limit);
    const double weight = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_gradient(g,
                                {.x = a.x.data(),
                                 .offset = a.offset.data(),
                                 .mask = a.mask.data(),
                                 .weight = nullptr,
                                 .dy = a.dy.data(),
                                 .dx = nullptr,
                                 .doffset = nullptr,
                                 .dmask = nullptr,
                                 .dweight = out.dweight.data()},
                                workspace);
    });
    CHECK(weight <= 1.1 * limit + 16 * weights);  // and its partial sums
  }
  set_column_memory(0);
}

TEST_CASE(
    "memory to spare: forwards keep a tile for every thread, gradients take what a map needs") {
  const int before = thread_count();
  set_thread_count(3);
  set_column_memory(64'000'000);
  const DeformGeometry g = geometry({.n = 1, .h = 12, .w = 12, .c = 32, .k = 16});
  const Arrays<float> a = as<float>(random_arrays(g, 11));
  std::vector<float> y(a.dy.size());
  const double columns = 4.0 * 144 * 9 * 32;  // of all locations
  CHECK(peak_of([&] {
          Workspace workspace(Device::cpu());
          cpu::deform_conv_forward(g,
                                   {.x = a.x.data(),
                                    .offset = a.offset.data(),
                                    .mask = a.mask.data(),
                                    .weight = a.weight.data(),
                                    .bias = nullptr,
                                    .y = y.data()},
                                   workspace);
        }) <= 1.5 * columns);
  const Tensor x = Tensor::full({1, 12, 12, 32}, 0.5), weight = Tensor::full({16, 3, 3, 32}, 0.1);
  const Tensor pairs = Tensor::full({1, 12, 12, 18}, 0.2), dy = Tensor::full({1, 12, 12, 16}, 1);
  const auto forward = [&](const Var& map) {
    return deform_kernel_conv(map, pairs, pairs, weight, {}, {.padding = 1});
  };
  CHECK(peak_of([&] { forward(x); }) <= 1.5 * 2 * columns);  // samples are kept beside columns
  const Tape tape;
  const Var map = tape.variable(x), result = forward(map);
  CHECK(peak_of([&] { tape.gradients(result, {}, {.cotangent = dy}); }) <= 1.5 * 3 * 3 * columns);
  set_column_memory(0);
  set_thread_count(before);
}

TEST_CASE("training a deformable layer takes maps of a few times its input, whatever its size") {
  // x, y, their gradients and one more sum of dx's, all [L c]; offsets and mask of 27 numbers a
  // location, once as the branch gives them, once as they are used, and the gradients of both. So
  // a map of 1024x1024x64 takes 1.7 GB.
  constexpr std::int64_t c = 64;
  DeformConv2d layer(c, c, {.kernel = 3, .padding = 1, .modulation = Modulation::twice_sigmoid});
  layer.initialise(Rng(1));
  for (const Shape& shape : {Shape{1, 96, 128, c}, Shape{3, 67, 40, c}}) {
    const std::int64_t locations = shape.size() / c;
    const double peak = peak_of([&] {
      const Tape tape;
      const Var y = layer(tape.variable(Tensor::full(shape, 0.5)));
      tape.gradients(y, {}, {.cotangent = Tensor::full(shape, 0.1)});
    });
    const auto maps = static_cast<double>(4 * locations * (5 * c + 80));
    const double rest = thread_count() * 512e3 + 16 * 4e5;  // columns, sums of weight gradients
    CHECK(peak <= maps + rest);
    CHECK(peak >= 0.8 * maps);
  }
}
