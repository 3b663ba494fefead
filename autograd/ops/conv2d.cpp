#include <pliant/autograd/ops/conv2d.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/convert.h>

namespace pliant {

Var conv2d(const Var& x, const Var& weight, const Var& bias, const ConvOptions& options) {
  const ErrorOp here("conv2d");
  if (is_mixed(x, weight)) return conv2d(x, rounded(weight), rounded(bias), options);
  require_rank("conv2d", "the input", x, 4, "[N H W C]");
  require_rank("conv2d", "the weight", weight, 4, "[K R S C/groups]");
  require_same_kind("conv2d", {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  const Conv2dGeometry g = conv_geometry("conv2d", x.shape(), weight.shape(), options);
  require_shape_if("conv2d", "bias", bias, {g.k});
  return conv2d_pass("conv2d", g, x, weight, bias);
}

}  // namespace pliant
