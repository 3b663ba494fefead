#include <pliant/autograd/ops/conv1d.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/ops/rearrange.h>

namespace pliant {

Var conv1d(const Var& x, const Var& weight, const Var& bias, const Conv1dOptions& options) {
  const ErrorOp here("conv1d");
  require_rank("conv1d", "the input", x, 3, "[N L C]");
  require_rank("conv1d", "the weight", weight, 3, "[K R C/groups]");
  const ConvOptions rows{{1, options.stride},
                         {0, 0, options.padding.before, options.padding.after},
                         {1, options.dilation},
                         options.groups};
  return squeeze(conv2d(unsqueeze(x, 1), unsqueeze(weight, 1), bias, rows), {1});
}

}  // namespace pliant
