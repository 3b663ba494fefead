#include <pliant/layers/conv1d.h>

#include <pliant/autograd/ops/rearrange.h>

namespace pliant {

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, Conv1dLayerOptions options)
    : options_(std::move(options)) {
  const ErrorOp here("Conv1d");
  const std::int64_t groups = options_.groups, kernel = options_.kernel;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "Conv1d: ", in_channels, " to ", out_channels, " channels do not divide into ", groups,
          " groups");
  require(kernel >= 1, "Conv1d: a kernel of ", kernel, " elements, expected at least 1");
  const Shape shape{out_channels, 1, kernel, in_channels / groups};
  weight = own(
      "weight", Parameter(shape),
      options_.initialiser ? options_.initialiser : init::he_normal(shape.size() / out_channels));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
}

Var Conv1d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = squeeze(x.lift(weight), {1}), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = conv1d(x, w, b, options_.conv());
  return observed("Conv1d", y, y.size() * (weight.shape().size() / weight.shape()[0]));
}

}  // namespace pliant
