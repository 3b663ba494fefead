#include <pliant/layers/conv2d.h>

namespace pliant {

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options)
    : options_(std::move(options)) {
  const ErrorOp here("Conv2d");
  const auto& [kernel, stride, padding, dilation, groups, with_bias, initialiser] = options_;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "Conv2d: ", in_channels, " to ", out_channels, " channels do not divide into ", groups,
          " groups");
  require(kernel.h >= 1 && kernel.w >= 1, "Conv2d: the kernel is empty (", kernel.h, " x ",
          kernel.w, ")");
  const Shape shape{out_channels, kernel.h, kernel.w, in_channels / groups};
  weight = own("weight", Parameter(shape),
               initialiser ? initialiser : init::he_normal(shape.size() / out_channels));
  if (with_bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
}

Var Conv2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = conv2d(x, w, b,
                       {.stride = options_.stride,
                        .padding = options_.padding,
                        .dilation = options_.dilation,
                        .groups = options_.groups});
  return observed("Conv2d", y, y.size() * (weight.shape().size() / weight.shape()[0]));
}

}  // namespace pliant
