// CondConv2d: a convolution whose weights are mixed anew for each image (Yang et al. 2019).
#pragma once

#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/linear.h>

namespace pliant {

struct CondConv2dOptions {
  std::int64_t experts = 8;
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  Bias bias = Bias::yes;
  Initialiser initialiser = {};  // of the weight; init::he_normal unless given. The bias: zeros

  ConvOptions conv() const { return {stride, padding, dilation, groups}; }  // of the op
};

// [N H W in] -> [N P Q out], see cond_conv2d. Parameters: weight [experts out R S in/groups], bias
// [out]; a linear layer "routing", zero at the start, reads from the mean of x over the map how
// much of each expert is taken, by its sigmoid: half of each at the start.
class CondConv2d : public Module {
 public:
  CondConv2d(std::int64_t in_channels, std::int64_t out_channels, CondConv2dOptions options = {});

  Var operator()(const Var& x) const;
  // How much of each expert x gets, [N experts], in 0..1.
  Var routes(const Var& x) const;

  const CondConv2dOptions& options() const { return options_; }

 private:
  CondConv2dOptions options_;

 public:
  Parameter weight, bias;  // bias is undefined without one
  Linear routing;
};

}  // namespace pliant
