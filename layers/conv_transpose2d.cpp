#include <pliant/layers/conv_transpose2d.h>

#include <cmath>

namespace pliant {

ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels,
                                 ConvTranspose2dOptions options)
    : options_(std::move(options)) {
  const ErrorOp here("ConvTranspose2d");
  const auto& [kernel, stride, padding, more, dilation, groups, with_bias, initialiser] = options_;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "ConvTranspose2d: ", in_channels, " to ", out_channels, " channels do not divide into ",
          groups, " groups");
  require(kernel.h >= 1 && kernel.w >= 1, "ConvTranspose2d: the kernel is empty (", kernel.h, " x ",
          kernel.w, ")");
  const Shape shape{out_channels, kernel.h, kernel.w, in_channels / groups};
  const std::int64_t fan = out_channels / groups * kernel.h * kernel.w;
  const Initialiser usual = init::uniform(1 / std::sqrt(static_cast<double>(fan)));
  weight = own("weight", Parameter(shape), initialiser ? initialiser : usual);
  weight.set_transposed();
  if (with_bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), usual);
}

Var ConvTranspose2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = conv_transpose2d(x, w, b,
                                 {.stride = options_.stride,
                                  .padding = options_.padding,
                                  .output_padding = options_.output_padding,
                                  .dilation = options_.dilation,
                                  .groups = options_.groups});
  return observed("ConvTranspose2d", y, x.size() * (weight.shape().size() / x.dim(3)));
}

}  // namespace pliant
