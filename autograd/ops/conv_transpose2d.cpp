#include <pliant/autograd/ops/conv_transpose2d.h>

#include <algorithm>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/permute.h>

namespace pliant {
namespace {

constexpr const char* kOp = "conv_transpose2d";

// Output extent along one axis.
std::int64_t out_extent(const char* axis, std::int64_t in, std::int64_t cut, std::int64_t kernel,
                        std::int64_t stride, std::int64_t dilation, std::int64_t more) {
  require(more >= 0 && more < std::max(stride, dilation), kOp, ": output_padding is ", more,
          " along the ", axis, ", expected at least 0 and less than the stride (", stride,
          ") or the dilation (", dilation, ")");
  const std::int64_t grown = checked_product(kOp, {in - 1, stride});
  const std::int64_t out = checked_sum(kOp, {grown, dilation * (kernel - 1), more, 1}) - cut;
  require(in >= 1 && out >= 1, kOp, ": the ", axis, " would become ", out, " (of ", in,
          "); it must be at least 1");
  return out;
}

// The geometry of the convolution whose data gradient this is: from K to C channels, from the
// result to x.
Conv2dGeometry geometry(const Shape& x, const Shape& weight, const ConvTransposeOptions& options) {
  const auto& [stride, padding, more, dilation, groups] = options;
  check_conv(kOp, x, weight, {stride, padding, dilation, groups});
  Conv2dGeometry g{};
  g.n = x[0], g.p = x[1], g.q = x[2], g.k = x[3];
  g.c = weight[0], g.r = weight[1], g.s = weight[2];
  g.stride_h = stride.h, g.stride_w = stride.w;
  g.pad_top = padding.top, g.pad_left = padding.left;
  g.dilation_h = dilation.h, g.dilation_w = dilation.w;
  g.groups = groups;
  g.h = out_extent("height", g.p, padding.top + padding.bottom, g.r, stride.h, dilation.h, more.h);
  g.w = out_extent("width", g.q, padding.left + padding.right, g.s, stride.w, dilation.w, more.w);
  require_operations(kOp, "images, output pixels, channels", {g.n, g.h, g.w, g.c});
  checked_product(kOp, {std::max<std::int64_t>(g.n, 1), g.p, g.q, std::max<std::int64_t>(g.k, 1),
                        g.r, g.s, std::max<std::int64_t>(g.c / groups, 1), 16});
  return g;
}

// [K R S C/groups] as [C R S K/groups].
Var turned(const Var& weight, std::int64_t groups) {
  const Shape& shape = weight.shape();
  const std::int64_t filters = shape[0] / groups, r = shape[1], s = shape[2], channels = shape[3];
  const Var split = reshape(weight, Shape{groups, filters, r, s, channels});
  return reshape(permute(split, {0, 4, 2, 3, 1}), Shape{groups * channels, r, s, filters});
}

}  // namespace

Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias,
                     const ConvTransposeOptions& options) {
  const ErrorOp here(kOp);
  if (is_mixed(x, weight)) return conv_transpose2d(x, rounded(weight), rounded(bias), options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the weight", weight, 4, "[K R S C/groups]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  const Conv2dGeometry g = geometry(x.shape(), weight.shape(), options);
  require_shape_if(kOp, "bias", bias, {g.c});
  const Var y = conv2d_data_gradient(kOp, g, x, turned(weight, g.groups));
  return bias.defined() ? y + bias : y;
}

}  // namespace pliant
