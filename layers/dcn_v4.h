// DCNv4: the deformable layer of Xiong et al. 2024.
#pragma once

#include <optional>

#include <pliant/autograd/ops/dcn.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/linear.h>

namespace pliant {

enum class Pointwise : unsigned char { yes, no };  // the linear layers before and after the core

struct DCNv4Options {
  Size2 kernel = 3;
  Size2 stride = 1;  // above 1 it needs a depthwise convolution, which takes it too
  Padding padding = 1;
  Size2 dilation = 1;
  std::int64_t groups = 4;
  double offset_scale = 1;
  CenterTap center = CenterTap::keep;
  MaskRule mask = MaskRule::as_given;
  // Side of a depthwise convolution that offsets and masks are read from; 0: from x itself.
  std::int64_t depthwise_kernel = 0;
  Pointwise pointwise = Pointwise::yes;
  Bias output_bias = Bias::yes;

  DCNOptions core() const {  // of the op
    return {kernel, stride, padding, dilation, groups, offset_scale, center, mask};
  }
};

// [N H W C] -> [N P Q C]: "value" (linear), the core of dcn_v4, "output" (linear). Offsets and
// masks come from one linear layer "offset_mask", zero at the start: with masks as given, as
// published, the layer's first result is its last bias, zero. The other linear layers start Xavier
// uniform, biases as zeros. Any number of channels that the groups divide.
//
// So it is made for the branch of a residual block, x + gelu(dcn(norm(x))). In a Conv2d's place right
// before relu(), whose slope at 0 is 0, it never gets a gradient: there it takes
// {.mask = MaskRule::softmax}.
class DCNv4 : public Module {
 public:
  explicit DCNv4(std::int64_t channels, const DCNv4Options& options = {});

  Var operator()(const Var& x) const;
  const DCNv4Options& options() const { return options_; }

 private:
  DCNv4Options options_;

 public:
  std::optional<Conv2d> depthwise;
  Linear offset_mask;
  std::optional<Linear> value, output;
};

}  // namespace pliant
