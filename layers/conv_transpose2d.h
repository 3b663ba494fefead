// ConvTranspose2d: a transposed convolution that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/module.h>

namespace pliant {

struct ConvTranspose2dOptions {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 output_padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  Bias bias = Bias::yes;
  // Of the weight. Unless given, weight and bias start as PyTorch's: uniform in +-1 / sqrt(out /
  // groups * kernel height * kernel width).
  Initialiser initialiser = {};

  ConvTransposeOptions conv() const {  // of the op
    return {stride, padding, output_padding, dilation, groups};
  }
};

// [N H W in] -> [N P Q out], see conv_transpose2d. Parameters: weight [out R S in/groups], bias
// [out].
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels,
                  ConvTranspose2dOptions options = {});

  Var operator()(const Var& x) const;
  const ConvTranspose2dOptions& options() const { return options_; }

  Parameter weight, bias;  // bias is undefined without one

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace pliant
