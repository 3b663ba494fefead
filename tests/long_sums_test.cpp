// A hundred thousand float32 terms that meet in one element: scattered over a map, products of a
// depthwise convolution, the uses of a Var.
#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/deform_roi_pool.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/roi_align.h>
#include <pliant/autograd/ops/roi_pool.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr std::int64_t kSide = 300, kTerms = kSide * kSide, kChannels = 18;
const Shape kMap = {1, kSide, kSide, kChannels}, kPixel = {1, 1, 1, kChannels};
constexpr float kTerm = 0.1F;
constexpr double kTolerance = 1.2e-6;  // equal terms round alike in a run

Tensor tenths(const Shape& shape) {
  return Tensor::full(shape, static_cast<double>(kTerm), DType::float32);
}
Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, DType::float32); }
Tensor ones(const Shape& shape) { return Tensor::full(shape, 1, DType::float32); }
Tensor regions(std::int64_t n) {  // each the first pixel
  Tensor rois = zeros({n, 5});
  for (std::int64_t r = 0; r < n; ++r)
    rois.mutable_data<float>()[5 * r + 3] = rois.mutable_data<float>()[5 * r + 4] = 1;
  return rois;
}
// Offsets by which every pixel (i, j) reads pixel (0, 0), `repeats` of them.
Tensor to_corner(std::int64_t repeats) {
  Tensor offset = zeros({1, kSide, kSide, 2 * repeats});
  float* at = offset.mutable_data<float>();
  for (std::int64_t i = 0; i < kSide * kSide * repeats; ++i, at += 2) {
    at[0] = static_cast<float>(-(i / repeats / kSide));
    at[1] = static_cast<float>(-(i / repeats % kSide));
  }
  return offset;
}

// The gradient of the sum of tenths of op(x).
using Op = std::function<Var(const Var& x)>;
Tensor gradient_of(const Op& op, const Tensor& value) {
  const Tape tape;
  const Var x = tape.variable(value);
  const Var y = op(x);
  return tape.gradients(sum(y * tenths(y.shape())), {x})[x];
}
// Its elements from `first` on, one for each channel, are sums of `terms` tenths.
void check_sums(const std::string& name, const Tensor& sums, double terms = kTerms,
                std::int64_t first = 0) {
  CAPTURE(name);
  const double want = terms * static_cast<double>(kTerm);
  for (std::int64_t c = 0; c < kChannels; ++c)
    CHECK(static_cast<double>(sums.data<float>()[first + c]) ==
          doctest::Approx(want).epsilon(kTolerance));
}

// The largest |x - want|.
double off(const Tensor& x, double want) {
  double most = 0;
  for (const double value : x.to_vector()) most = std::max(most, std::abs(value - want));
  return most;
}

}  // namespace

TEST_CASE("long sums: samples that meet in one pixel") {
  check_sums("grid_sample", gradient_of(
                                [](const Var& x) {
                                  return grid_sample(x, zeros({1, kSide, kSide, 2}));
                                },
                                ones(kPixel)));
  const Tensor rois = regions(kTerms);
  const auto align = [&](const Var& x) {
    return roi_align(x, rois, {.output_size = 1, .sampling_ratio = 1});
  };
  check_sums("roi_align", gradient_of(align, ones(kPixel)));
  const auto pool = [&](const Var& x) { return roi_pool(x, rois, {.output_size = 1}); };
  check_sums("roi_pool", gradient_of(pool, ones(kPixel)));
  const auto deform_pool = [&](const Var& x) {
    return deform_roi_pool(x, zeros({kTerms, 5}), {}, {}, {.pooled_size = 1, .sample_per_part = 1});
  };
  check_sums("deform_roi_pool", gradient_of(deform_pool, ones(kPixel)));
  const Tensor offsets = to_corner(kChannels);
  const auto map = [&](const Var& x) { return map_offsets(x, offsets); };
  check_sums("map_offsets", gradient_of(map, ones(kMap)));
  const auto lookup = [](const Var& x) {
    return embedding(x, Tensor::zeros({kTerms}, DType::int64));
  };
  check_sums("embedding", gradient_of(lookup, ones({1, kChannels})));
  check_sums("embedding, a large table", gradient_of(lookup, ones({20000, kChannels})));
}

TEST_CASE("long sums: deformable samples that meet in one pixel") {
  const Tensor offset = to_corner(1), mask = ones({1, kSide, kSide, 1});
  const Tensor one_each = ones({kChannels, 1, 1, 1});
  const auto depthwise = [&](const Var& x) {
    return deform_conv2d(x, offset, {}, one_each, {}, {.groups = kChannels});
  };
  check_sums("deform_conv2d depthwise", gradient_of(depthwise, ones(kMap)));
  Tensor unit = zeros({kChannels, 1, 1, kChannels});
  for (std::int64_t c = 0; c < kChannels; ++c) unit.mutable_data<float>()[c * (kChannels + 1)] = 1;
  const auto dense = [&](const Var& x) { return deform_conv2d(x, offset, {}, unit); };
  check_sums("deform_conv2d", gradient_of(dense, ones(kMap)));
  const auto kernel = [&](const Var& x) {
    return deform_kernel_conv(x, offset, zeros(offset.shape()), one_each, {},
                              {.kernel = 1, .groups = kChannels});
  };
  check_sums("deform_kernel_conv", gradient_of(kernel, ones(kMap)));
  // dcn_v3 has (dx, dy).
  const Tensor turned = flip(offset, {-1}).value();
  const auto dcn = [&](const Var& x) { return dcn_v3(x, turned, mask, {.kernel = 1}); };
  check_sums("dcn_v3", gradient_of(dcn, ones(kMap)));
}

TEST_CASE("long sums: overlapping windows of max_pool2d whose largest value is one pixel") {
  constexpr std::int64_t kSize = 64, kWide = 2 * kSize - 1;
  Tensor x = zeros({1, kWide, kWide, kChannels});
  const std::int64_t centre = (kSize * kWide - kSize) * kChannels;
  std::fill_n(x.mutable_data<float>() + centre, kChannels, 1.0F);
  const auto pool = [](const Var& v) { return max_pool2d(v, {.kernel = kSize, .stride = 1}); };
  check_sums("max_pool2d", gradient_of(pool, x), kSize * kSize, centre);
}

TEST_CASE("long sums: gradients of depthwise weights") {
  const Tensor x = ones(kMap), one_each = ones({kChannels, 1, 1, 1});
  const auto conv = [&](const Var& w) { return conv2d(x, w, Var(), {.groups = kChannels}); };
  check_sums("conv2d", gradient_of(conv, one_each));
  const auto correlation = [&](const Var& w) { return cross_correlation_depthwise(x, w); };
  check_sums("cross_correlation_depthwise", gradient_of(correlation, ones(kPixel)));
  // One line of a few channels, which is cut otherwise.
  const Tensor line = ones({1, 1, kTerms, 2});
  const auto conv_of_line = [&](const Var& w) { return conv2d(line, w, Var(), {.groups = 2}); };
  const Tensor dweight = gradient_of(conv_of_line, ones({2, 1, 1, 1}));
  CHECK(off(dweight, kTerms * 0.1) < 1e-2);
  const auto correlation_of_line = [&](const Var& z) {
    return cross_correlation_depthwise(line, z);
  };
  const Tensor dpattern = gradient_of(correlation_of_line, ones({1, 1, 1, 2}));
  CHECK(off(dpattern, kTerms * 0.1) < 1e-2);
  const auto deform = [&](const Var& w) {
    return deform_conv2d(x, zeros({1, kSide, kSide, 2}), {}, w, {}, {.groups = kChannels});
  };
  check_sums("deform_conv2d", gradient_of(deform, one_each));
  const auto kernel = [&](const Var& w) {
    return deform_kernel(x, zeros({1, kSide, kSide, 2}), w, {}, {.kernel = 1, .groups = kChannels});
  };
  check_sums("deform_kernel", gradient_of(kernel, one_each));
  const auto kernels = [](const Var& w) { return kernels_of_scope(w, zeros({kTerms, 2}), 1); };
  check_sums("kernels_of_scope", gradient_of(kernels, ones(kPixel)));
}

TEST_CASE("long sums: cross_correlation_depthwise with a large pattern") {
  const Tensor pattern = tenths(kMap);
  check_sums("y", cross_correlation_depthwise(ones(kMap), pattern).value());
  // The centre of a search map meets the whole pattern.
  constexpr std::int64_t kSize = 60, kWide = 2 * kSize - 1;
  const auto search = [](const Var& x) {
    return cross_correlation_depthwise(x, ones({1, kSize, kSize, kChannels}));
  };
  check_sums("dsearch", gradient_of(search, ones({1, kWide, kWide, kChannels})), kSize * kSize,
             (kSize * kWide - kSize) * kChannels);
}

TEST_CASE("long sums: a depthwise deform_kernel of many taps") {
  const Tensor weight = tenths({kChannels, kSide, kSide, 1});
  const Var y = deform_kernel(ones(kMap), zeros({1, 1, 1, 2 * kTerms}), weight, {},
                              {.kernel = kSide, .groups = kChannels});
  check_sums("y", y.value());
}

TEST_CASE("long sums: a Var of many uses") {
  constexpr int kUses = 20000;
  const auto uses = [](const Var& x) {
    Var all = x;
    for (int i = 1; i < kUses; ++i) all = all + x;
    return all;
  };
  const Tensor dx = gradient_of(uses, ones({kChannels}));
  check_sums("float32", dx, kUses);
  CHECK(dx.dtype() == DType::float32);
  const Tape tape;  // with a graph
  const Var x = tape.variable(ones({kChannels}));
  Var all = x * x;
  for (int i = 1; i < 1000; ++i) all = all + x * x;
  const Gradients g = tape.gradients(sum(all * tenths({kChannels})), {x}, {.create_graph = true});
  check_sums("create_graph", g[x], 2000);
  const Gradients second = tape.gradients(sum(g.var(x)), {x});
  CHECK(second[x].data<float>()[0] == doctest::Approx(200).epsilon(1e-6));
  const Var narrow = convert(tenths({1}), DType::bfloat16);
  const Tape again;
  const Var b = again.variable(narrow.value());
  Var many = b;
  for (int i = 1; i < 5000; ++i) many = many + b;
  const Tensor db = again.gradients(sum(many), {b})[b];
  CHECK(db.dtype() == DType::bfloat16);
  const Tensor wide = db.to(DType::float32);
  CHECK(wide.data<float>()[0] == doctest::Approx(5000).epsilon(4e-3));
}

TEST_CASE("long sums: the same bits on any number of threads") {
  const auto spread = [](std::int64_t n) { return random({n, 24, 24, 2}, 3, -0.2, 0.2); };
  const Tensor x = random({3, 5, 7, 40}, 1);
  check_same_on_any_threads(
      {"grid_sample", [](const Vars& v) { return grid_sample(v[0], v[1]); }, {x, spread(3)}});
  const Tensor rois = regions(500);
  check_same_on_any_threads(
      {"roi_align",
       [&](const Vars& v) { return roi_align(v[0], rois.to(v[0].dtype()), {.output_size = 2}); },
       {random({1, 20, 20, 40}, 2)}});
  check_same_on_any_threads(
      {"deform_conv2d depthwise",
       [](const Vars& v) { return deform_conv2d(v[0], v[1], {}, v[2], {}, {.groups = 40}); },
       {random({2, 24, 24, 40}, 4), random({2, 24, 24, 2}, 5, -24, 24), random({40, 1, 1, 1}, 6)}});
}
