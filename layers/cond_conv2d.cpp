#include <pliant/layers/cond_conv2d.h>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/pool2d.h>

namespace pliant {
namespace {

std::int64_t checked_experts(std::int64_t experts) {
  require(experts >= 1, "CondConv2d: needs at least one expert, got ", experts);
  return experts;
}

}  // namespace

CondConv2d::CondConv2d(std::int64_t in_channels, std::int64_t out_channels,
                       CondConv2dOptions options)
    : options_(std::move(options)),
      routing(in_channels, checked_experts(options_.experts), {.initialiser = init::zeros()}) {
  const ErrorOp here("CondConv2d");
  const std::int64_t groups = options_.groups;
  const Size2& kernel = options_.kernel;
  require(groups >= 1 && in_channels >= 1 && out_channels >= 1 && in_channels % groups == 0 &&
              out_channels % groups == 0,
          "CondConv2d: ", in_channels, " to ", out_channels, " channels do not divide into ",
          groups, " groups");
  require(kernel.h >= 1 && kernel.w >= 1, "CondConv2d: the kernel is empty (", kernel.h, " x ",
          kernel.w, ")");
  const Shape shape{options_.experts, out_channels, kernel.h, kernel.w, in_channels / groups};
  weight = own("weight", Parameter(shape),
               options_.initialiser ? options_.initialiser
                                    : init::he_normal(shape[2] * shape[3] * shape[4]));
  if (options_.bias == Bias::yes) bias = own("bias", Parameter(Shape{out_channels}), init::zeros());
  routing = own("routing", std::move(routing));
}

Var CondConv2d::routes(const Var& x) const { return sigmoid(routing(global_avg_pool2d(x))); }

Var CondConv2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = cond_conv2d(x, w, routes(x), b,
                            {.stride = options_.stride,
                             .padding = options_.padding,
                             .dilation = options_.dilation,
                             .groups = options_.groups});
  const Shape& shape = weight.shape();
  return observed("CondConv2d", y,
                  y.size() * shape[2] * shape[3] * shape[4] + x.dim(0) * shape.size());
}

}  // namespace pliant
