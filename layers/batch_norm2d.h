// BatchNorm2d: batch normalisation that owns its scale, shift and running statistics.
#pragma once

#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/layers/module.h>

namespace pliant {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;  // weight of the new batch in the running statistics
};

// [N H W C], or [N C] and any other rank from 2 with the channels last -> the same. Parameters:
// weight, bias [C]; buffers: running_mean, running_var [C]. On a tape that trains it uses the
// batch's statistics and, unless the tape keeps buffers, moves the running ones, in place; off the
// tape, in inference, or when this module is frozen (freeze("path of this module")) it uses the
// running ones and leaves them. float32 running statistics stand still where momentum * (batch -
// running) is less than half a unit in the last place: within 2^-24 / momentum of their size (6e-7
// with 0.1; PyTorch's do too). A running variance that does not fit the buffer's type is an Error;
// on a GPU, where looking would cost time, infinite.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(std::int64_t channels, BatchNorm2dOptions options = {});

  Var operator()(const Var& x) const;

  Parameter weight, bias;
  Buffer running_mean, running_var;

 private:
  BatchNorm2dOptions options_;
};

}  // namespace pliant
