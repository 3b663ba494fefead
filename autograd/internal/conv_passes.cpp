#include <pliant/autograd/internal/conv_passes.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

// Output extent along one axis; a kernel larger than the padded map is an Error. No number is above
// kMostPixels but `in`, which is far below 2^63.
std::int64_t out_extent(const char* op, std::int64_t in, std::int64_t before, std::int64_t after,
                        std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t span = dilation * (kernel - 1) + 1;
  require(in + before + after >= span, op, ": the kernel spans ", span, " pixels but the padded ",
          "map has ", in + before + after);
  return (in + before + after - span) / stride + 1;
}

// Of `out` windows along an axis, how many can touch a map of `in` pixels; the others lie in the
// padding, which an attribute alone asks for.
std::int64_t touching(std::int64_t out, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                      std::int64_t dilation) {
  return std::min(out, (in + dilation * (kernel - 1)) / stride + 1);
}

void check_work(const char* op, const Conv2dGeometry& g) {
  const std::int64_t of_filter = g.c / g.groups;
  // All that the kernels count is a part of this product, in bytes, or of a tensor's size.
  checked_product(op, {std::max<std::int64_t>(g.n, 1), g.p, g.q, std::max<std::int64_t>(g.k, 1),
                       g.r, g.s, std::max<std::int64_t>(of_filter, 1), 16});
  const std::int64_t rows = touching(g.p, g.h, g.r, g.stride_h, g.dilation_h),
                     columns = touching(g.q, g.w, g.s, g.stride_w, g.dilation_w);
  if (g.p / 2 <= rows && g.q / 2 <= columns) return;
  require_operations(op, "images, output pixels, filters, kernel, channels",
                     {g.n, g.p, g.q, g.k, g.r, g.s, of_filter});
}

Shape input_shape(const Conv2dGeometry& g) { return {g.n, g.h, g.w, g.c}; }
Shape weight_shape(const Conv2dGeometry& g) { return {g.k, g.r, g.s, g.c / g.groups}; }
Shape output_shape(const Conv2dGeometry& g) { return {g.n, g.p, g.q, g.k}; }

Tensor forward(const char* op, const Conv2dGeometry& g, const Tensor& x, const Tensor& weight,
               const Tensor& bias) {
  Tensor y = Tensor::empty(output_shape(g), x.dtype(), x.device());
  if (y.size() == 0) return y;
  if (x.size() == 0 || weight.size() == 0) {  // sums of nothing
    const Var zeros = Tensor::zeros(y.shape(), y.dtype(), y.device());
    return bias.defined() ? (zeros + bias).value() : zeros.value();
  }
  Workspace workspace(x.device());
  visit_any_floating(op, x.dtype(), [&]<class T>() {
    kernel<Conv2dForward<T>, cpu::conv2d_forward, cuda::conv2d_forward>(op, x.device())(
        g, x.data<T>(), weight.data<T>(), data_or_null<T>(bias), y.mutable_data<T>(), workspace);
  });
  return y;
}

Tensor data_gradient(const char* op, const Conv2dGeometry& g, const Tensor& dy,
                     const Tensor& weight) {
  if (dy.size() == 0 || weight.size() == 0)
    return Tensor::zeros(input_shape(g), dy.dtype(), dy.device());
  Tensor dx = Tensor::empty(input_shape(g), dy.dtype(), dy.device());
  if (dx.size() == 0) return dx;
  Workspace workspace(dy.device());
  visit_any_floating(op, dy.dtype(), [&]<class T>() {
    kernel<Conv2dDataGradient<T>, cpu::conv2d_data_gradient, cuda::conv2d_data_gradient>(
        op, dy.device())(g, dy.data<T>(), weight.data<T>(), dx.mutable_data<T>(), workspace);
  });
  return dx;
}

Tensor weight_gradient(const char* op, const Conv2dGeometry& g, const Tensor& x, const Tensor& dy) {
  if (x.size() == 0 || dy.size() == 0)
    return Tensor::zeros(weight_shape(g), dy.dtype(), dy.device());
  Tensor dweight = Tensor::empty(weight_shape(g), dy.dtype(), dy.device());
  if (dweight.size() == 0) return dweight;
  Workspace workspace(dy.device());
  visit_any_floating(op, dy.dtype(), [&]<class T>() {
    kernel<Conv2dWeightGradient<T>, cpu::conv2d_weight_gradient, cuda::conv2d_weight_gradient>(
        op, dy.device())(g, x.data<T>(), dy.data<T>(), dweight.mutable_data<T>(), workspace);
  });
  return dweight;
}

}  // namespace

void check_conv(const char* op, const Shape& x, const Shape& weight, const ConvOptions& options) {
  const auto& [stride, padding, dilation, groups] = options;
  require(stride.h >= 1 && stride.w >= 1, op, ": stride must be at least 1, got ", stride.h, " x ",
          stride.w);
  require(dilation.h >= 1 && dilation.w >= 1, op, ": dilation must be at least 1, got ", dilation.h,
          " x ", dilation.w);
  require(groups >= 1, op, ": groups must be at least 1, got ", groups);
  require(weight[1] >= 1 && weight[2] >= 1, op, ": the kernel is empty (weight ", weight, ")");
  require_pixels(op, "the stride", 1, {stride.h, stride.w});
  require_pixels(op, "the dilation", 1, {dilation.h, dilation.w});
  require_pixels(op, "the padding", 0, {padding.top, padding.bottom, padding.left, padding.right});
  require_pixels(op, "the kernel", 1, {weight[1], weight[2]});
  const std::int64_t channels = checked_product(op, {weight[3], groups});
  require(x[3] == channels, op, ": input has ", x[3], " channels but the weight expects ", channels,
          " (input ", x, ", weight ", weight, ")", layout_hint(x, channels));
  require(weight[0] % groups == 0, op, ": ", weight[0], " output channels do not divide into ",
          groups, " groups");
}

Conv2dGeometry conv_geometry(const char* op, const Shape& x, const Shape& weight,
                             const ConvOptions& options) {
  check_conv(op, x, weight, options);
  const auto& [stride, padding, dilation, groups] = options;
  Conv2dGeometry g{};
  g.n = x[0], g.h = x[1], g.w = x[2], g.c = x[3];
  g.k = weight[0], g.r = weight[1], g.s = weight[2];
  g.stride_h = stride.h, g.stride_w = stride.w;
  g.pad_top = padding.top, g.pad_left = padding.left;
  g.dilation_h = dilation.h, g.dilation_w = dilation.w;
  g.groups = groups;
  g.p = out_extent(op, g.h, padding.top, padding.bottom, g.r, stride.h, dilation.h);
  g.q = out_extent(op, g.w, padding.left, padding.right, g.s, stride.w, dilation.w);
  check_work(op, g);
  return g;
}

Var conv2d_pass(const char* op, const Conv2dGeometry& g, const Var& x, const Var& weight,
                const Var& bias) {
  return record(
      op, forward(op, g, x.value(), weight.value(), bias.value()), {x, weight, bias},
      {keep_if(weight.wants_gradient(), x), keep_if(x.wants_gradient(), weight)},
      [op, g](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        Var dx, dweight, dbias;
        if (node.wants(0)) dx = conv2d_data_gradient(op, g, dy, node.saved(1));
        if (node.wants(1)) dweight = conv2d_weight_gradient(op, g, node.saved(0), dy);
        if (node.wants(2)) dbias = sum_to(dy, {g.k});
        return {dx, dweight, dbias};
      },
      Derivatives::all);
}

Var conv2d_data_gradient(const char* op, const Conv2dGeometry& g, const Var& dy,
                         const Var& weight) {
  return record(
      op, data_gradient(op, g, dy.value(), weight.value()), {dy, weight},
      {keep_if(weight.wants_gradient(), dy), keep_if(dy.wants_gradient(), weight)},
      [op, g](const NodeView& node) -> Vars {
        const Var& x = node.cotangent();
        Var ddy, dweight;
        if (node.wants(0)) ddy = conv2d_pass(op, g, x, node.saved(1));
        if (node.wants(1)) dweight = conv2d_weight_gradient(op, g, x, node.saved(0));
        return {ddy, dweight};
      },
      Derivatives::all);
}

Var conv2d_weight_gradient(const char* op, const Conv2dGeometry& g, const Var& x, const Var& dy) {
  return record(
      op, weight_gradient(op, g, x.value(), dy.value()), {x, dy},
      {keep_if(dy.wants_gradient(), x), keep_if(x.wants_gradient(), dy)},
      [op, g](const NodeView& node) -> Vars {
        const Var& weight = node.cotangent();
        Var dx, ddy;
        if (node.wants(0)) dx = conv2d_data_gradient(op, g, node.saved(1), weight);
        if (node.wants(1)) ddy = conv2d_pass(op, g, node.saved(0), weight);
        return {dx, ddy};
      },
      Derivatives::all);
}

}  // namespace pliant
