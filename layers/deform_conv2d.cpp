#include <pliant/layers/deform_conv2d.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {

DeformConv2d::DeformConv2d(std::int64_t in_channels, std::int64_t out_channels,
                           DeformConv2dOptions options)
    : options_(std::move(options)) {
  const std::int64_t groups = options_.groups, offset_groups = options_.offset_groups;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "DeformConv2d: ", in_channels, " to ", out_channels, " channels do not divide into ",
          groups, " groups");
  require(offset_groups >= 1 && in_channels % offset_groups == 0, "DeformConv2d: ", in_channels,
          " channels do not divide into ", offset_groups, " offset groups");
  const Shape shape{out_channels, options_.kernel.h, options_.kernel.w, in_channels / groups};
  require(shape[1] >= 1 && shape[2] >= 1, "DeformConv2d: the kernel is empty (weight ", shape, ")");
  weight = own(
      "weight", Parameter(shape),
      options_.initialiser ? options_.initialiser : init::he_normal(shape.size() / out_channels));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  if (options_.offsets == Offsets::given) return;
  offset_conv = own("offset", zero_branch(in_channels, 2));
  if (options_.modulation == Modulation::sigmoid)
    mask_conv = own("mask", zero_branch(in_channels, 1));
}

// A convolution that starts as zero and gives so many channels for each tap of each offset group.
Conv2d DeformConv2d::zero_branch(std::int64_t in_channels, std::int64_t channels_per_tap) const {
  const std::int64_t taps = options_.kernel.h * options_.kernel.w;
  return Conv2d(in_channels, channels_per_tap * options_.offset_groups * taps,
                {.kernel = options_.kernel,
                 .stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .initialiser = init::zeros()});
}

Var DeformConv2d::offsets(const Var& x) const {
  require(offset_conv.has_value(), "DeformConv2d: ", path(),
          " has no offset branch (Offsets::given); call it with offsets");
  return (*offset_conv)(x);
}

Var DeformConv2d::mask(const Var& x) const {
  return mask_conv ? sigmoid((*mask_conv)(x)) * 2.0 : Var();
}

Var DeformConv2d::operator()(const Var& x) const {
  const Var where = offsets(x);
  return (*this)(x, where, mask(x));
}

Var DeformConv2d::operator()(const Var& x, const Var& offsets, const Var& mask) const {
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = deform_conv2d(x, offsets, mask, w, b,
                              {.stride = options_.stride,
                               .padding = options_.padding,
                               .dilation = options_.dilation,
                               .groups = options_.groups,
                               .offset_groups = options_.offset_groups,
                               .boundary = options_.boundary});
  // A sample is four multiply-adds, its modulation a fifth.
  const std::int64_t samples =
      y.dim(0) * y.dim(1) * y.dim(2) * x.dim(3) * weight.shape()[1] * weight.shape()[2];
  return observed(
      "DeformConv2d", y,
      y.size() * (weight.shape().size() / weight.shape()[0]) + samples * (mask.defined() ? 5 : 4));
}

}  // namespace pliant
