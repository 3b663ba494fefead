#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/column_memory.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/cases/deform_kernel.h>

#include <limits>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float64); }

// Value and all gradients of deform_kernel_conv on so many threads.
std::vector<Tensor> on_threads(int threads, const DeformKernelCase& c, DType dtype) {
  const int before = thread_count();
  set_thread_count(threads);
  std::vector<Tensor> all = run(deform_kernel_conv_case(c), dtype);
  set_thread_count(before);
  return all;
}

// The definition by index, for one channel k of one location.
double by_definition(const DeformKernelCase& c, const std::vector<Tensor>& in, std::int64_t n,
                     std::int64_t p, std::int64_t q, std::int64_t k) {
  const auto hat = [](double at, std::int64_t i) {
    return std::fmax(0, 1 - std::fabs(at - static_cast<double>(i)));
  };
  const DeformKernelOptions& o = c.options;
  const std::int64_t own = c.weight[3], first = k / (c.weight[0] / o.groups) * own;
  double sum = in[4].data<double>()[k];
  for (std::int64_t t = 0; t < c.taps(); ++t)
    for (std::int64_t i = 0; i < own; ++i) {
      const std::int64_t r = t / o.kernel.w, s = t % o.kernel.w;
      const std::int64_t row = p * o.stride.h - o.padding.top + r * o.dilation.h;
      const std::int64_t column = q * o.stride.w - o.padding.left + s * o.dilation.w;
      if (row < 0 || row >= c.x[1] || column < 0 || column >= c.x[2]) continue;
      const std::int64_t channel = first + i, group = channel % o.rotation_groups;
      const double* const pair =
          in[2].data<double>() +
          2 * ((((n * c.p + p) * c.q + q) * o.rotation_groups + group) * c.taps() + t);
      const double y =
          static_cast<double>(r) + static_cast<double>(c.weight[1] - o.kernel.h) / 2 + pair[0];
      const double x =
          static_cast<double>(s) + static_cast<double>(c.weight[2] - o.kernel.w) / 2 + pair[1];
      for (std::int64_t u = 0; u < c.weight[1]; ++u)
        for (std::int64_t v = 0; v < c.weight[2]; ++v)
          sum += hat(y, u) * hat(x, v) *
                 in[3].data<double>()[((k * c.weight[1] + u) * c.weight[2] + v) * own + i] *
                 in[0].data<double>()[((n * c.x[1] + row) * c.x[2] + column) * c.x[3] + channel];
    }
  return sum;
}

}  // namespace

TEST_CASE("deform_kernel: the definition, for any number of groups and rotation groups") {
  for (const DeformKernelCase& c : deform_kernel_shapes()) {
    CAPTURE(c.name);
    const std::vector<Tensor> in = deform_kernel_inputs(c);
    const Tensor y = deform_kernel(in[0], in[2], in[3], in[4], c.options).value();
    REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.weight[0]});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t k = i % c.weight[0], row = i / c.weight[0];
      const double want = by_definition(c, in, row / c.q / c.p, row / c.q % c.p, row % c.q, k);
      CHECK(y.data<double>()[i] == doctest::Approx(want).epsilon(1e-12));
    }
  }
}

TEST_CASE("deform_kernel, deform_kernel_conv: gradients at edge shapes, threads") {
  check(deform_kernel_cases());
}

TEST_CASE("deform_kernel: each gradient alone is the one that comes with the others") {
  const DeformKernelCase& c = deform_kernel_shapes()[3];
  const OpCase op = deform_kernel_conv_case(c);
  const std::vector<Tensor>&in = op.inputs, all = run(op, DType::float64);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Tape tape;
    Vars v(in.begin(), in.end());
    v[i] = tape.variable(in[i]);
    const Var y = op.f(v);
    const Tensor alone =
        tape.gradients(y, {}, {.cotangent = random(y.shape(), 99, 0.5, 1.5)})[v[i]];
    CHECK(max_difference(alone, all[i + 1]) < 1e-14);
  }
}

TEST_CASE("deform_kernel: a scope as large as the kernel, not rotated, is a convolution") {
  const Tensor x = random({2, 6, 5, 6}, 1), bias = random({6}, 3);
  for (const std::int64_t groups : {1, 2, 6}) {
    const Tensor weight = random({6, 3, 3, 6 / groups}, 2);
    const Tensor want =
        conv2d(x, weight, bias, {.stride = 2, .padding = 1, .groups = groups}).value();
    const DeformKernelOptions options{.stride = 2, .padding = 1, .groups = groups};
    const Tensor none = zeros({2, 3, 3, 18});
    CHECK(max_difference(want, deform_kernel(x, none, weight, bias, options).value()) < 1e-12);
    CHECK(max_difference(want, deform_kernel_conv(x, none, none, weight, bias, options).value()) <
          1e-12);
    // With offsets it is a deformable convolution.
    const Tensor offset = deform_kernel_pairs({2, 3, 3, 18}, 4);
    CHECK(max_difference(deform_conv2d(x, offset, weight, bias, {},
                                       {.stride = 2, .padding = 1, .groups = groups})
                             .value(),
                         deform_kernel_conv(x, offset, none, weight, bias, options).value()) <
          1e-12);
  }
}

TEST_CASE("deform_kernel: a tap between four weights starts as their mean") {
  const Tensor x = random({1, 3, 4, 5}, 1), weight = random({5, 2, 2, 1}, 2);
  const Tensor kernel = mean(weight, {1, 2}, KeepDim::yes).value();
  const Tensor want = conv2d(x, kernel, {}, {.groups = 5}).value();
  const DeformKernelOptions options{.kernel = 1, .groups = 5};
  CHECK(max_difference(want, deform_kernel(x, zeros({1, 3, 4, 2}), weight, {}, options).value()) <
        1e-12);
  CHECK(max_difference(
            want, global_deform_kernel(x, zeros({1, 2}), weight, 1, {}, {.groups = 5}).value()) <
        1e-12);
}

TEST_CASE("deform_kernel: rotations that are not numbers, infinite or huge read nothing") {
  const Tensor x = random({1, 3, 3, 2}, 1), bias = random({2}, 3);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const std::int64_t groups : {1, 2})
    for (const double far : {1e18, -1e300, infinity, -infinity, std::nan("")}) {
      const Tensor weight = random({2, 4, 4, 2 / groups}, 2);
      const DeformKernelOptions options{.padding = 1, .groups = groups};
      const Tensor away = Tensor::full({1, 3, 3, 18}, far, DType::float64);
      const Tape tape;
      const Vars v = {tape.variable(x), tape.variable(zeros({1, 3, 3, 18})), tape.variable(away),
                      tape.variable(weight)};
      const Var y = deform_kernel_conv(v[0], v[1], v[2], v[3], bias, options);
      CHECK(max_difference(y.value(), add(zeros({1, 3, 3, 2}), bias).value()) == 0);
      const Gradients gradients = tape.gradients(sum(y));
      for (const Var& input : v) CHECK(max_difference(gradients[input], zeros(input.shape())) == 0);
      const Tensor outside =
          deform_kernel_conv(x, away, zeros({1, 3, 3, 18}), weight, bias, options).value();
      CHECK(max_difference(outside, y.value()) == 0);
    }
}

TEST_CASE("deform_kernel: neither threads nor column memory change a bit of a kernel of 144 taps") {
  const DeformKernelCase c{
      "12x12", {1, 14, 13, 8}, {16, 12, 12, 8}, 15, 14, {.kernel = 12, .padding = 6}};
  const std::vector<Tensor> free = on_threads(1, c, DType::float32);
  set_column_memory(50'000);
  for (const int threads : {1, 3}) {
    const std::vector<Tensor> limited = on_threads(threads, c, DType::float32);
    for (std::size_t i = 0; i < free.size(); ++i) CHECK(same_bits(free[i], limited[i]));
  }
  set_column_memory(0);
}

TEST_CASE("deform_kernel: bad arguments") {
  const Var x(random({2, 8, 8, 4}, 1)), w(random({6, 4, 4, 4}, 2));
  const auto message = [&](const Shape& rotation, const DeformKernelOptions& options) {
    return error_of([&] { deform_kernel(x, random(rotation, 3), w, {}, options); });
  };
  CHECK(contains(message({2, 8, 8, 9}, {.padding = 1}),
                 "the rotation has shape [2 8 8 9], expected [2 8 8 18]"));
  CHECK(contains(message({2, 8, 8, 18}, {.padding = 1, .rotation_groups = 5}),
                 "5 rotation groups for 4 channels"));
  CHECK(contains(message({2, 8, 8, 18}, {.padding = 1, .groups = 2}), "input has 4 channels"));
  CHECK(contains(error_of([&] {
                   deform_kernel_conv(x, zeros({2, 6, 6, 9}), zeros({2, 6, 6, 18}), w);
                 }),
                 "the offset has shape [2 6 6 9], expected [2 6 6 18]"));
  CHECK(contains(error_of([&] {
                   deform_kernel_conv(x, {}, zeros({2, 6, 6, 18}), w);
                 }),
                 "deform_kernel_conv: the offset is undefined"));
  CHECK(contains(error_of([&] {
                   deform_kernel(x, zeros({2, 6, 6, 18}), w, zeros({5}));
                 }),
                 "bias has shape [5], expected [6]"));
  CHECK(contains(error_of([&] {
                   deform_kernel(x, zeros({2, 6, 6, 18}), zeros({6, 0, 4, 4}));
                 }),
                 "the scope is empty"));
  CHECK(error_of([&] {
          deform_kernel(zeros({2, 8, 8, 0}), zeros({2, 6, 6, 18}), zeros({6, 4, 4, 0}));
        }) == "deform_kernel: 0 input and 6 output channels, expected at least 1 of each");
  CHECK(error_of([&] {
          deform_kernel_conv(x, zeros({2, 6, 6, 18}), zeros({2, 6, 6, 18}), zeros({0, 4, 4, 4}));
        }) == "deform_kernel_conv: 4 input and 0 output channels, expected at least 1 of each");
}
