// Windows that no one can mean, in every op that has them.
#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/dcn.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/hostile_sizes.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The options that all convolutions have.
template <class Options>
void refuses_windows(const std::string& who, const std::function<void(const Options&)>& use) {
  const auto with = [&](auto set) {
    return [set, &use](std::int64_t number) {
      Options options;
      set(options, number);
      use(options);
    };
  };
  std::vector<std::int64_t> none = kHostile;
  none.push_back(0);
  refuses(who, "stride.h", with([](Options& o, auto n) { o.stride = Size2(n, 1); }), none);
  refuses(who, "stride.w", with([](Options& o, auto n) { o.stride = Size2(1, n); }), none);
  refuses(who, "dilation.h", with([](Options& o, auto n) { o.dilation = Size2(n, 1); }), none);
  refuses(who, "dilation.w", with([](Options& o, auto n) { o.dilation = Size2(1, n); }), none);
  refuses(who, "padding", with([](Options& o, auto n) { o.padding = n; }));
  refuses(who, "padding.top", with([](Options& o, auto n) { o.padding.top = n; }));
  refuses(who, "padding.right", with([](Options& o, auto n) { o.padding.right = n; }));
  if constexpr (requires(Options o) { o.groups; })
    refuses(who, "groups", with([](Options& o, auto n) { o.groups = n; }), none);
  if constexpr (requires(Options o) { o.kernel; })
    refuses(who, "kernel.h", with([](Options& o, auto n) { o.kernel = Size2(n, 1); }), none);
}

}  // namespace

TEST_CASE("sizes: windows of convolutions") {
  const Var x = zeros({4, 7, 3, 3}), weight = zeros({6, 3, 3, 1});
  refuses_windows<ConvOptions>("conv2d", [&](ConvOptions o) {
    if (o.groups == 1) o.groups = 3;
    conv2d(x, weight, {}, o);
  });
  refuses_windows<ConvOptions>("conv2d_per_image", [&](ConvOptions o) {
    if (o.groups == 1) o.groups = 3;
    conv2d_per_image(x, zeros({4, 6, 3, 3, 1}), {}, o);
  });
  refuses_windows<ConvOptions>("cond_conv2d", [&](ConvOptions o) {
    if (o.groups == 1) o.groups = 3;
    cond_conv2d(x, zeros({2, 6, 3, 3, 1}), zeros({4, 2}), {}, o);
  });
  refuses_windows<ConvTransposeOptions>("conv_transpose2d", [&](ConvTransposeOptions o) {
    if (o.groups == 1) o.groups = 3;
    conv_transpose2d(x, weight, {}, o);
  });
  refuses("conv_transpose2d", "output_padding", [&](std::int64_t n) {
    conv_transpose2d(x, weight, {}, {.output_padding = n, .groups = 3});
  });
  refuses_windows<DeformConvOptions>("deform_conv2d", [&](DeformConvOptions o) {
    if (o.groups == 1) o.groups = 3;
    deform_conv2d(x, zeros({4, 5, 1, 18}), weight, {}, {}, o);
  });
  refuses("deform_conv2d", "offset_groups", [&](std::int64_t n) {
    deform_conv2d(x, zeros({4, 5, 1, 18}), weight, {}, {}, {.groups = 3, .offset_groups = n});
  });
  refuses_windows<DCNOptions>("dcn_v3", [&](const DCNOptions& o) {
    dcn_v3(x, zeros({4, 5, 1, 18}), zeros({4, 5, 1, 9}), o);
  });
  refuses_windows<DCNOptions>("dcn_v4", [&](const DCNOptions& o) {
    dcn_v4(x, zeros({4, 5, 1, 32}), o);
  });
  refuses_windows<DeformKernelOptions>("deform_kernel", [&](DeformKernelOptions o) {
    if (o.groups == 1) o.groups = 3;
    deform_kernel(x, zeros({4, 5, 1, 18}), weight, {}, o);
  });
  refuses_windows<DeformKernelOptions>("deform_kernel_conv", [&](DeformKernelOptions o) {
    if (o.groups == 1) o.groups = 3;
    deform_kernel_conv(x, zeros({4, 5, 1, 18}), zeros({4, 5, 1, 18}), weight, {}, o);
  });
  refuses("deform_kernel", "rotation_groups", [&](std::int64_t n) {
    deform_kernel(x, zeros({4, 5, 1, 18}), weight, {}, {.groups = 3, .rotation_groups = n});
  });
  refuses_windows<ConvOptions>("global_deform_kernel", [&](ConvOptions o) {
    if (o.groups == 1) o.groups = 3;
    global_deform_kernel(x, zeros({4, 18}), weight, 3, {}, o);
  });
  refuses("global_deform_kernel", "kernel", [&](std::int64_t n) {
    global_deform_kernel(x, zeros({4, 18}), weight, n);
  });
  refuses("dcn_v4_width", "kernel",
          [](std::int64_t n) { dcn_v4_width({.kernel = n, .groups = 3}); }, {kMin, -1, k62, kMax});
  refuses("dcn_v4_width", "groups", [](std::int64_t n) { dcn_v4_width({.groups = n}); },
          {kMin, -1, 0, k62, kMax});
}

TEST_CASE("sizes: what padding, strides and dilation alone ask for") {
  const Var x = zeros({1, 2, 2, 1}), weight = zeros({1, 1, 1, 1});
  // A kernel of two taps at the largest dilation that may be: the map would have to be as large.
  CHECK(contains(error_of([&] {
                   conv2d(x, zeros({1, 2, 2, 1}), {}, {.dilation = kMostPixels});
                 }),
                 "the kernel spans 2147483648 pixels but the padded map has 2"));
  CHECK(contains(error_of([&] { conv2d(x, weight, {}, {.padding = 1 << 20}); }),
                 "conv2d: 1 * 2097154 * 2097154 * 1 * 1 * 1 * 1 (images"));
  CHECK(contains(error_of([&] { conv2d(x, weight, {}, {.padding = kMostPixels}); }),
                 "conv2d: 1 * 4294967296 * 4294967296"));
  CHECK(contains(error_of([&] {
                   conv_transpose2d(x, zeros({1, 2, 2, 1}), {}, {.stride = kMostPixels});
                 }),
                 "conv_transpose2d: 1 * 2147483649 * 2147483649 * 1 (images"));
  // Windows far apart over a padding as wide: few of them, and right.
  const Var ones = Tensor::full({1, 1, 1, 1}, 1);
  const std::int64_t far = std::int64_t{1} << 30;
  Var y;
  CHECK(seconds([&] {
          y = conv2d(ones, Tensor::full({1, 2, 2, 1}, 1), {}, {.stride = far, .padding = far});
        }) < kAtOnce);
  CHECK(y.value().to_vector() == std::vector<double>{0, 0, 0, 1});
  Tape tape;
  const Var on_tape = tape.variable(Tensor::full({1, 3, 3, 1}, 1));
  const Var one = conv2d(on_tape, weight, {}, {.stride = kMostPixels});
  CHECK(one.shape() == Shape{1, 1, 1, 1});
  CHECK(tape.gradients(sum(one))[on_tape].shape() == Shape{1, 3, 3, 1});
}

TEST_CASE("sizes: pooling and resampling") {
  const Var x = zeros({1, 5, 4, 2});
  refuses_windows<MaxPoolOptions>("max_pool2d", [&](const MaxPoolOptions& o) { max_pool2d(x, o); });
  refuses_windows<MaxPoolOptions>("max_pool2d", [&](MaxPoolOptions o) {
    o.rounding = Rounding::up;
    max_pool2d(x, o);
  });
  for (const Rounding rounding : {Rounding::down, Rounding::up})
    for (const std::int64_t n : kHostile) {
      CAPTURE(n);
      const auto refused = [&](AvgPoolOptions o) {
        o.rounding = rounding;
        return names(error_of([&] { avg_pool2d(x, o); }), n);
      };
      CHECK(refused({.kernel = n}));
      CHECK(refused({.stride = n}));
      CHECK(refused({.kernel = {1, n}, .padding = {0, n / 2}}));
      CHECK(refused({.padding = {n, 0}}));
    }
  // A window of the largest size, half of it padding: means and maxima over the map.
  const std::int64_t vast = kMostPixels;
  CHECK(max_pool2d(x, {.kernel = vast, .padding = vast / 2}).size() == 2);
  CHECK(avg_pool2d(x, {.kernel = vast, .padding = vast / 2}).size() == 2);
  refuses("adaptive_avg_pool2d", "output", [&](std::int64_t n) { adaptive_avg_pool2d(x, n); });
  refuses("adaptive_avg_pool2d", "output.w", [&](std::int64_t n) {
    adaptive_avg_pool2d(x, {1, n});
  });
  CHECK(contains(error_of([] {
                   adaptive_avg_pool2d(zeros({999, 1, 1, 9}), {1 << 20, 1 << 10});
                 }),
                 "999 * 1048576 * 1024 * 1 * 9"));
  refuses("upsample2d", "size", [&](std::int64_t n) { upsample2d(x, {.size = n}); });
  refuses("upsample2d", "size.h", [&](std::int64_t n) { upsample2d(x, {.size = {n, 2}}); });
  for (const double scale : {-1.0, 1e-30, 0x1p31, 1e18, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    CAPTURE(scale);
    for (const UpsampleMode mode : {UpsampleMode::nearest, UpsampleMode::bilinear,
                                    UpsampleMode::bicubic, UpsampleMode::nearest_exact}) {
      CHECK(
          error_of([&] { upsample2d(x, {.scale = scale, .mode = mode}); }).starts_with("upsample"));
      CHECK(error_of([&] {
              upsample2d(x, {.scale = {1, scale}, .mode = mode});
            }).starts_with("upsample"));
    }
  }
}

TEST_CASE("pooling: a window larger than the map is cut to it where the rounding is up") {
  const Var row = Tensor::from({1.0, 2.0, 3.0}, {1, 1, 3, 1});
  const auto values = [](const Var& y) { return y.value().to_vector(); };
  using Values = std::vector<double>;
  CHECK(values(max_pool2d(Tensor::full({1, 1, 1, 1}, 3), {.rounding = Rounding::up})) == Values{3});
  CHECK(values(avg_pool2d(Tensor::full({1, 1, 1, 1}, 3), {.rounding = Rounding::up})) == Values{3});
  CHECK(values(avg_pool2d(row, {.kernel = {2, 1}, .rounding = Rounding::up})) == Values{1, 2, 3});
  CHECK(values(max_pool2d(row, {.kernel = {9, 7}, .stride = 1, .rounding = Rounding::up})) ==
        Values{3});
  CHECK(values(avg_pool2d(row, {.kernel = {9, 7}, .stride = 1, .rounding = Rounding::up})) ==
        Values{2});
  // Padding before the map counts as zeros, what lies past the padding does not.
  CHECK(values(avg_pool2d(row,
                          {.kernel = {1, 8}, .padding = {0, 0, 1, 0}, .rounding = Rounding::up})) ==
        Values{1.5});
  CHECK(error_of([&] {
          max_pool2d(row, {.kernel = {1, 4}});
        }) ==
        "max_pool2d: a window of 4 taps with dilation 1 does not fit along W into [1 1 3 1] padded "
        "by 0 and 0");
}

TEST_CASE("pooling: the stride is the kernel unless given") {
  const Var x = random({1, 9, 9, 2}, 5);
  CHECK(max_pool2d(x, {.kernel = 3}).shape() == Shape{1, 3, 3, 2});
  CHECK(avg_pool2d(x, {.kernel = {3, 4}}).shape() == Shape{1, 3, 2, 2});
  CHECK(max_pool2d(x, {.kernel = 3, .stride = 2}).shape() == Shape{1, 4, 4, 2});
  CHECK(max_pool2d(x, {.kernel = 3, .stride = {2, 1}}).shape() == Shape{1, 4, 7, 2});
  CHECK(max_pool2d(x).shape() == Shape{1, 4, 4, 2});
  CHECK(contains(error_of([&] { max_pool2d(x, {.kernel = 3, .stride = 0}); }), "stride 0"));
  CHECK(contains(error_of([&] { avg_pool2d(x, {.kernel = 3, .stride = {1, 0}}); }), "stride 0"));
}
