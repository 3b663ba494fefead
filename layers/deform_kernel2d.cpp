#include <pliant/layers/deform_kernel2d.h>

#include <cmath>

#include <pliant/autograd/ops/pool2d.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

// The weight's shape, checked.
template <class Options>
Shape weight_shape(const char* layer, std::int64_t in_channels, std::int64_t out_channels,
                   const Options& options) {
  const std::int64_t groups = options.groups;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          layer, ": ", in_channels, " to ", out_channels, " channels do not divide into ", groups,
          " groups");
  const auto& [kernel, scope] = std::pair(options.kernel, options.scope);
  require(kernel.h >= 1 && kernel.w >= 1, layer, ": the kernel is empty (", kernel.h, " x ",
          kernel.w, ")");
  require(scope.h >= 1 && scope.w >= 1, layer, ": the scope is empty (", scope.h, " x ", scope.w,
          ")");
  return {out_channels, scope.h, scope.w, in_channels / groups};
}

template <class Options>
Initialiser weight_initialiser(const Options& options, const Shape& weight) {
  if (options.initialiser) return options.initialiser;
  const std::int64_t fan_in =
      checked_product("DeformKernel2d", {options.kernel.h, options.kernel.w, weight[3]});
  return init::uniform(1 / std::sqrt(static_cast<double>(fan_in)));
}

// A convolution that starts as zero and gives so many numbers for each tap.
Conv2d zero_branch(const char* layer, std::int64_t in_channels, std::int64_t channels_per_tap,
                   const DeformKernel2dOptions& options) {
  require(options.rotation_groups >= 1 && options.rotation_groups <= in_channels, layer, ": ",
          options.rotation_groups, " rotation groups for ", in_channels, " channels");
  require(options.kernel.h >= 1 && options.kernel.w >= 1, layer, ": the kernel is empty (",
          options.kernel.h, " x ", options.kernel.w, ")");
  return Conv2d(in_channels,
                checked_product(layer, {channels_per_tap, options.kernel.h, options.kernel.w}),
                {.kernel = options.kernel,
                 .stride = options.stride,
                 .padding = options.padding,
                 .dilation = options.dilation,
                 .initialiser = init::zeros()});
}

Conv2d rotation_branch(const char* layer, std::int64_t in_channels,
                       const DeformKernel2dOptions& options) {
  return zero_branch(layer, in_channels, checked_product(layer, {2, options.rotation_groups}),
                     options);
}

DeformKernelOptions op_options(const DeformKernel2dOptions& options) {
  return {.kernel = options.kernel,
          .stride = options.stride,
          .padding = options.padding,
          .dilation = options.dilation,
          .groups = options.groups,
          .rotation_groups = options.rotation_groups};
}

// Of the product with a kernel made anew for each element: four multiply-adds for a weight, a fifth
// for its sample, whose own come on top.
std::int64_t multiply_adds(const Var& y, const Shape& weight, const Size2& kernel,
                           std::int64_t in_channels, std::int64_t per_sample) {
  const std::int64_t taps = kernel.h * kernel.w, locations = y.dim(0) * y.dim(1) * y.dim(2);
  return y.size() * taps * weight[3] * 5 + locations * taps * in_channels * per_sample;
}

}  // namespace

DeformKernel2d::DeformKernel2d(std::int64_t in_channels, std::int64_t out_channels,
                               DeformKernel2dOptions options)
    : options_(std::move(options)),
      rotation(rotation_branch("DeformKernel2d", in_channels, options_)) {
  const ErrorOp here("DeformKernel2d");
  const Shape shape = weight_shape("DeformKernel2d", in_channels, out_channels, options_);
  weight = own("weight", Parameter(shape), weight_initialiser(options_, shape));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  rotation = own("rotation", std::move(rotation));
}

Var DeformKernel2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = deform_kernel(x, rotation(x), w, b, op_options(options_));
  return observed("DeformKernel2d", y,
                  multiply_adds(y, weight.shape(), options_.kernel, x.dim(3), 0));
}

DeformKernelConv2d::DeformKernelConv2d(std::int64_t in_channels, std::int64_t out_channels,
                                       DeformKernel2dOptions options)
    : options_(std::move(options)),
      rotation(rotation_branch("DeformKernelConv2d", in_channels, options_)),
      offset(zero_branch("DeformKernelConv2d", in_channels, 2, options_)) {
  const ErrorOp here("DeformKernelConv2d");
  const Shape shape = weight_shape("DeformKernelConv2d", in_channels, out_channels, options_);
  weight = own("weight", Parameter(shape), weight_initialiser(options_, shape));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  rotation = own("rotation", std::move(rotation));
  offset = own("offset", std::move(offset));
}

Var DeformKernelConv2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = deform_kernel_conv(x, offset(x), rotation(x), w, b, op_options(options_));
  return observed("DeformKernelConv2d", y,
                  multiply_adds(y, weight.shape(), options_.kernel, x.dim(3), 4));
}

GlobalDeformKernel2d::GlobalDeformKernel2d(std::int64_t in_channels, std::int64_t out_channels,
                                           GlobalDeformKernel2dOptions options)
    : options_(std::move(options)),
      offset(
          Linear(in_channels,
                 checked_product("GlobalDeformKernel2d", {2, options_.kernel.h, options_.kernel.w}),
                 {.initialiser = init::zeros()})) {
  const ErrorOp here("GlobalDeformKernel2d");
  const Shape shape = weight_shape("GlobalDeformKernel2d", in_channels, out_channels, options_);
  weight = own("weight", Parameter(shape), weight_initialiser(options_, shape));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  offset = own("offset", std::move(offset));
}

Var GlobalDeformKernel2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var where = offset(global_avg_pool2d(x));
  const Var y = global_deform_kernel(x, where, w, options_.kernel, b,
                                     {.stride = options_.stride,
                                      .padding = options_.padding,
                                      .dilation = options_.dilation,
                                      .groups = options_.groups});
  const std::int64_t taps = options_.kernel.h * options_.kernel.w;
  return observed("GlobalDeformKernel2d", y,
                  y.size() * taps * weight.shape()[3] +
                      4 * x.dim(0) * weight.shape()[0] * taps * weight.shape()[3]);
}

}  // namespace pliant
