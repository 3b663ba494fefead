// Counts and extents that no one can mean, in every op that takes some, and tensors without
// elements whose other axes are long.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/hostile_sizes.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("sizes: regions") {
  const Var x = zeros({1, 6, 5, 4});
  const Tensor rois = Tensor::from({0.0f, 0.0f, 0.0f, 4.0f, 4.0f}, {1, 5});
  refuses("roi_align", "output", [&](std::int64_t n) { roi_align(x, rois, {.output_size = n}); });
  refuses("roi_align", "sampling",
          [&](std::int64_t n) { roi_align(x, rois, {.sampling_ratio = n}); });
  refuses("ps_roi_align", "output",
          [&](std::int64_t n) { ps_roi_align(x, rois, {.output_size = n}); });
  refuses("ps_roi_align", "sampling",
          [&](std::int64_t n) { ps_roi_align(x, rois, {.output_size = 2, .sampling_ratio = n}); });
  refuses("roi_pool", "output", [&](std::int64_t n) {
    roi_pool(x, rois, {.output_size = {n, 1}});
  });
  refuses("ps_roi_pool", "output", [&](std::int64_t n) {
    ps_roi_pool(x, rois, {.output_size = {1, n}});
  });
  const auto deform = [&](const DeformRoIPoolOptions& o) { deform_roi_pool(x, rois, {}, {}, o); };
  refuses("deform_roi_pool", "pooled", [&](std::int64_t n) { deform({.pooled_size = n}); });
  refuses("deform_roi_pool", "part", [&](std::int64_t n) { deform({.part_size = n}); });
  refuses("deform_roi_pool", "samples", [&](std::int64_t n) { deform({.sample_per_part = n}); });
  refuses("deform_roi_pool", "group", [&](std::int64_t n) { deform({.group_size = n}); });
  refuses("deform_roi_pool", "output_dim", [&](std::int64_t n) { deform({.output_dim = n}); });
  CHECK(contains(error_of([&] { roi_align(x, rois, {.sampling_ratio = 1 << 20}); }),
                 "roi_align: 1 * 7 * 7 * 1048576 * 1048576 * 4 (regions"));
  // No region at all: nothing to do for any number of bins.
  Tape tape;
  const Var on_tape = tape.variable(x.value());
  const Tensor none = zeros({0, 5});
  CHECK(seconds([&] {
          const Var y = roi_align(on_tape, none, {.output_size = 1 << 19}),
                    z = ps_roi_align(on_tape, none, {.output_size = 2}),
                    d = deform_roi_pool(on_tape, none, {}, {}, {.pooled_size = 1 << 10});
          CHECK(tape.gradients(sum(y) + sum(z) + sum(d))[on_tape].to_vector() ==
                std::vector<double>(120, 0.0));
        }) < kAtOnce);
}

TEST_CASE("sizes: elements moved and chosen") {
  const Var x = zeros({1, 4, 4, 1});
  const std::vector<std::int64_t> none(4, 0);
  const std::vector<std::int64_t> beyond_memory = {kMin, -k62, -5, k62, kMax - 1, kMax};
  refuses(
      "pad", "before",
      [&](std::int64_t n) {
        pad(x, {0, n, 0, 0}, none);
      },
      beyond_memory);
  refuses(
      "pad", "both",
      [&](std::int64_t n) {
        pad(x, {0, n, 0, 0}, {0, n, 0, 0});
      },
      beyond_memory);
  for (const PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular})
    refuses(
        "pad", "by a mode",
        [&](std::int64_t n) {
          pad(x, none, {0, n, 0, 0}, mode);
        },
        beyond_memory);
  CHECK(contains(error_of([&] { pad(x, {0, 1 << 20, 0, 0}, {0, 0, 1 << 20, 0}); }), "pad: 1099"));
  refuses("topk", "k", [&](std::int64_t n) { topk(x, n, 1); });
  refuses("adaptive_max_pool2d", "output", [&](std::int64_t n) { adaptive_max_pool2d(x, {n, 1}); });
  for (const std::int64_t n : kHostile) {
    CAPTURE(n);
    CHECK(names(error_of([&] { slice_axis(x, 1, n, 2); }), n));
    CHECK(names(error_of([&] { slice_axis(x, 1, 0, n == -1 ? -6 : n); }), n == -1 ? -6 : n));
    if (n < 1) CHECK(names(error_of([&] { slice_axis(x, 1, 0, 4, n); }), n));
    if (n > 0) CHECK(slice_axis(x, 1, 1, 4, n).shape() == Shape{1, 1, 4, 1});
  }
  Tape tape;
  const Var on_tape = tape.variable(Tensor::from({1.0, 2.0, 3.0}, {3}));
  const Var last = slice(on_tape, {2}, {3}, {kMax});
  CHECK(tape.gradients(sum(last))[on_tape].to_vector() == std::vector<double>{0, 0, 1});
  CHECK(contains(error_of([] {
                   concat(Vars(40, zeros({0, std::int64_t{1} << 58})), 1);
                 }),
                 "288230376151711744"));

  const Tensor index = Tensor::zeros({2, 1}, DType::int64);
  refuses("scatter_add", "extent",
          [&](std::int64_t n) {
            scatter_add(Tensor::full({2, 1}, 7), 1, index, n);
          },
          {kMin, -k62, -1});
  for (const std::int64_t n : {k62, kMax, std::int64_t{1} << 50})
    CHECK(names(error_of([&] {
                  scatter_add(Tensor::full({2, 1}, 7), 1, index, n);
                }),
                n == std::int64_t{1} << 50 ? 2 * n : n));
  for (const std::int64_t n : {kMin, -k62, std::int64_t{-1}, k62, kMax, std::int64_t{1} << 45}) {
    CHECK(names(error_of([&] { one_hot(index, n); }), n));
    const Tensor bad = Tensor::from<std::int64_t>({n}, {1});
    CHECK(names(error_of([&] { embedding(zeros({3, 2}), bad); }), n));
    CHECK(names(error_of([&] { gather(zeros({3}), 0, bad); }), n));
  }
  for (const std::int64_t n : {k32 * 1024, std::int64_t{1} << 50})
    CHECK(names(error_of([&] { broadcast_to(zeros({1, 1}), Shape{2, n}); }), 2 * n));
  CHECK(contains(error_of([] { matmul(zeros({k32, 0}), zeros({0, k32})); }), "too large"));
  for (const int axis : {std::numeric_limits<int>::max(), std::numeric_limits<int>::min(), 4, -5}) {
    CHECK(names(error_of([&] { cumsum(x, axis); }), axis));
    CHECK(names(error_of([&] { sum(x, {axis}); }), axis));
    CHECK(names(error_of([&] { softmax(x, axis); }), axis));
    CHECK(names(error_of([&] { flip(x, {axis}); }), axis));
    CHECK(names(error_of([&] { permute(x, {0, 1, 2, axis}); }), axis));
    CHECK(names(error_of([&] { x.value().dim(axis); }), axis));
  }
}

TEST_CASE("sizes: tensors without elements end at once, however long their other axes") {
  const std::int64_t n = std::int64_t{1} << 40;
  const Tensor index = Tensor::zeros({n, 0}, DType::int64);
  struct Case {
    const char* name;
    Shape x;
    std::function<Var(const Var&)> f;
  };
  const Shape images{n, 4, 4, 0}, maps{0, 1 << 15, 1 << 15, 3};
  const auto at = [](const Shape& s) { return zeros(s); };
  for (const Case& c : std::vector<Case>{
           {"cumsum", {n, 0}, [](const Var& x) { return cumsum(x, 1); }},
           {"cumsum, first axis", {n, 0}, [](const Var& x) { return cumsum(x, 0); }},
           {"gather", {n, 0}, [&](const Var& x) { return gather(x, 1, index); }},
           {"gather, no inner",
            {n, 2, 0},
            [&](const Var& x) {
              return gather(x, 1, Tensor::zeros({n, 7, 0}, DType::int64));
            }},
           {"scatter_add", {n, 0}, [&](const Var& x) { return scatter_add(x, 1, index, 0); }},
           {"sum", {n, 5, 0}, [](const Var& x) { return sum(x, {1}); }},
           {"sum of all", {n, 5, 0}, [](const Var& x) { return sum(x); }},
           {"softmax", {n, 0}, [](const Var& x) { return softmax(x, 1); }},
           {"pad",
            {n, 0},
            [](const Var& x) {
              return pad(x, {1, 0}, {0, 0});
            }},
           {"slice", {n, 0}, [](const Var& x) { return slice_axis(x, 0, 1, 9, 2); }},
           {"flip", {n, 0}, [](const Var& x) { return flip(x, {0}); }},
           {"concat",
            {n, 0},
            [](const Var& x) {
              return concat({x, x}, 0);
            }},
           {"permute",
            {n, 0, 3},
            [](const Var& x) {
              return permute(x, {2, 0, 1});
            }},
           {"add", {n, 0}, [](const Var& x) { return x + x; }},
           {"matmul",
            {n, 0, 3},
            [&](const Var& x) {
              return matmul(x, at({n, 3, 0}));
            }},
           {"linear",
            {n, 0, 3},
            [&](const Var& x) {
              return linear(x, at({2, 3}));
            }},
           {"conv2d", images,
            [&](const Var& x) {
              return conv2d(x, at({0, 3, 3, 0}));
            }},
           {"conv2d, no images", maps,
            [&](const Var& x) {
              return conv2d(x, at({2, 3, 3, 3}));
            }},
           {"conv2d_per_image", images,
            [&](const Var& x) {
              return conv2d_per_image(x, at({n, 0, 3, 3, 0}));
            }},
           {"conv_transpose2d", maps,
            [&](const Var& x) {
              return conv_transpose2d(x, at({3, 3, 3, 3}));
            }},
           {"deform_conv2d", maps,
            [&](const Var& x) {
              const std::int64_t side = (1 << 15) - 2;
              return deform_conv2d(x, at({0, side, side, 18}), at({2, 3, 3, 3}));
            }},
           {"dcn_v3", maps,
            [&](const Var& x) {
              const std::int64_t side = (1 << 15) - 2;
              return dcn_v3(x, at({0, side, side, 18}), at({0, side, side, 9}));
            }},
           {"deform_kernel", maps,
            [&](const Var& x) {
              const std::int64_t side = (1 << 15) - 2;
              return deform_kernel(x, at({0, side, side, 18}), at({2, 4, 4, 3}));
            }},
           {"max_pool2d", images, [](const Var& x) { return max_pool2d(x); }},
           {"avg_pool2d", images, [](const Var& x) { return avg_pool2d(x); }},
           {"upsample2d", images, [](const Var& x) { return upsample2d(x, {.scale = 2}); }},
           {"adaptive_avg_pool2d", images, [](const Var& x) { return adaptive_avg_pool2d(x, 3); }},
           {"map_offsets", images, [&](const Var& x) { return map_offsets(x, at({n, 4, 4, 0})); }},
           {"grid_sample",
            {n, 4, 4, 0},
            [&](const Var& x) { return grid_sample(x, at({n, 0, 7, 2})); }},
           {"cross_correlation", images, [&](const Var& x) {
              return cross_correlation_depthwise(x, at({n, 2, 2, 0}));
            }}}) {
    CAPTURE(std::string(c.name));
    std::string message;
    CHECK(seconds([&] {
            message = error_of([&] {
              Tape tape;
              const Var x = tape.variable(zeros(c.x));
              const Var y = c.f(x);
              CHECK(y.size() <= 1);
              const Gradients gradients = tape.gradients(sum(y));
              if (const Tensor* const dx = gradients.find(x)) CHECK(dx->shape() == c.x);
            });
          }) < kAtOnce);
    CHECK(message == "");
  }
}

TEST_CASE("sizes: convolutions that sum over nothing give the bias") {
  const Tensor bias = Tensor::from({1.0f, -2.0f}, {2});
  const std::vector<double> wanted = {1, -2, 1, -2};
  CHECK(conv2d(zeros({1, 1, 2, 0}), zeros({2, 1, 1, 0}), bias).value().to_vector() == wanted);
  CHECK(conv2d(zeros({1, 0, 0, 3}), zeros({2, 1, 1, 3}), bias, {.padding = {1, 0, 1, 1}})
            .value()
            .to_vector() == wanted);
  CHECK(conv2d_per_image(zeros({1, 1, 2, 0}), zeros({1, 2, 1, 1, 0}), bias).value().to_vector() ==
        wanted);
}
