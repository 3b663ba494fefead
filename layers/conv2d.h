// Conv2d: a convolution that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/layers/module.h>

namespace pliant {

enum class Bias : unsigned char { no, yes };

struct Conv2dOptions {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  Bias bias = Bias::yes;
  Initialiser initialiser = {};  // of the weight; init::he_normal unless given. The bias: zeros

  ConvOptions conv() const { return {stride, padding, dilation, groups}; }  // of the op
};

// [N H W in] -> [N P Q out], see conv2d. Parameters: weight [out R S in/groups], bias [out].
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options = {});

  Var operator()(const Var& x) const;
  const Conv2dOptions& options() const { return options_; }

  Parameter weight, bias;  // bias is undefined without one

 private:
  Conv2dOptions options_;
};

}  // namespace pliant
