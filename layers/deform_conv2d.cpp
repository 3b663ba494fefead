#include <pliant/layers/deform_conv2d.h>

#include <pliant/core/sizes.h>

namespace pliant {

DeformConv2d::DeformConv2d(std::int64_t in_channels, std::int64_t out_channels,
                           DeformConv2dOptions options)
    : options_(std::move(options)) {
  const ErrorOp here("DeformConv2d");
  const std::int64_t groups = options_.groups, offset_groups = options_.offset_groups;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "DeformConv2d: ", in_channels, " to ", out_channels, " channels do not divide into ",
          groups, " groups");
  require(offset_groups >= 1 && in_channels % offset_groups == 0, "DeformConv2d: ", in_channels,
          " channels do not divide into ", offset_groups, " offset groups");
  const Size2& kernel = options_.kernel;
  require(kernel.h >= 1 && kernel.w >= 1, "DeformConv2d: the kernel is empty (", kernel.h, " x ",
          kernel.w, ")");
  const Shape shape{out_channels, kernel.h, kernel.w, in_channels / groups};
  weight = own(
      "weight", Parameter(shape),
      options_.initialiser ? options_.initialiser : init::he_normal(shape.size() / out_channels));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  if (options_.offsets == Offsets::given) return;
  if (options_.context_channels > 0) {
    context = own("context", OffsetContext(in_channels, options_.context_channels,
                                           {.kernel = options_.kernel,
                                            .stride = options_.stride,
                                            .padding = options_.padding,
                                            .dilation = options_.dilation}));
  }
  offset_conv = own("offset", zero_branch(in_channels, 2));
  if (options_.modulation != Modulation::none) mask_conv = own("mask", zero_branch(in_channels, 1));
}

// A convolution that starts as zero and gives so many channels for each tap of each offset group.
Conv2d DeformConv2d::zero_branch(std::int64_t in_channels, std::int64_t channels_per_tap) const {
  const std::int64_t channels = checked_product(
      "DeformConv2d",
      {channels_per_tap, options_.offset_groups, options_.kernel.h, options_.kernel.w});
  if (context)
    return Conv2d(options_.context_channels, channels,
                  {.kernel = 3, .padding = 1, .initialiser = init::zeros()});
  return Conv2d(in_channels, channels,
                {.kernel = options_.kernel,
                 .stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .initialiser = init::zeros()});
}

DeformConv2d::Branch DeformConv2d::branch(const Var& x) const {
  require(offset_conv.has_value(), "DeformConv2d: ", path(),
          " has no offset branch (Offsets::given); call it with offsets");
  const Var seen = context ? (*context)(x) : x;
  return {(*offset_conv)(seen),
          mask_conv ? mask_of((*mask_conv)(seen), options_.modulation) : Var()};
}

Var DeformConv2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Branch own_branch = branch(x);
  return (*this)(x, own_branch.offsets, own_branch.mask);
}

Var DeformConv2d::operator()(const Var& x, const Var& offsets, const Var& mask) const {
  const ErrorPlace here(path());
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
