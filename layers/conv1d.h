// Conv1d: a convolution over sequences that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/conv1d.h>
#include <pliant/layers/conv2d.h>

namespace pliant {

struct Conv1dLayerOptions {
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  Padding1 padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  Bias bias = Bias::yes;
  Initialiser initialiser = {};  // of the weight; init::he_normal unless given. The bias: zeros

  Conv1dOptions conv() const { return {stride, padding, dilation, groups}; }  // of the op
};

// [N L in] -> [N P out], see conv1d. Parameters: weight [out 1 R in/groups], that of a Conv2d over
// maps of one row, and bias [out]. load_torchvision() reads PyTorch's [out in/groups R].
class Conv1d : public Module {
 public:
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, Conv1dLayerOptions options = {});

  Var operator()(const Var& x) const;
  const Conv1dLayerOptions& options() const { return options_; }

  Parameter weight, bias;  // bias is undefined without one

 private:
  Conv1dLayerOptions options_;
};

}  // namespace pliant
