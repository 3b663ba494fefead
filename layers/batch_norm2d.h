// BatchNorm2d: batch normalisation that owns its scale, shift and running statistics.
#pragma once

#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/layers/module.h>

namespace pliant {

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

 protected:
  // The same under another name in messages and in what observers hear: a literal.
  BatchNorm2d(const char* kind, std::int64_t channels, BatchNorm2dOptions options);

 private:
  const char* kind_;
  BatchNorm2dOptions options_;
};

}  // namespace pliant
