#include <pliant/autograd/ops/cond_conv2d.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/matmul.h>

namespace pliant {

Var cond_conv2d(const Var& x, const Var& weight, const Var& routing, const Var& bias,
                const ConvOptions& options) {
  const ErrorOp here("cond_conv2d");
  if (is_bfloat16(x))
    return in_float32("cond_conv2d", cond_conv2d, x, weight, routing, bias, options);
  constexpr const char* kOp = "cond_conv2d";
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the weight", weight, 5, "[E K R S C/groups]");
  require_rank(kOp, "the routing", routing, 2, "[N E]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"routing", &routing}, {"bias", &bias}});
  const Shape expected{x.dim(0), weight.dim(0)};
  require(routing.shape() == expected, kOp, ": the routing has shape ", routing.shape(),
          ", expected ", expected, " (one number per image and expert)");
  const Shape one{weight.dim(1), weight.dim(2), weight.dim(3), weight.dim(4)};
  conv_geometry(kOp, x.shape(), one, options);
  const Var mixed = matmul(routing, reshape(weight, Shape{weight.dim(0), one.size()}));
  return conv2d_per_image(x, reshape(mixed, Shape{x.dim(0), one[0], one[1], one[2], one[3]}), bias,
                          options);
}

}  // namespace pliant
