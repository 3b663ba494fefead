// DCNv3: the deformable layer of Wang et al. 2022 (InternImage).
#pragma once

#include <optional>

#include <pliant/autograd/ops/dcn.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/layer_norm.h>
#include <pliant/layers/linear.h>

namespace pliant {

enum class CenterFeature : unsigned char {
  none,
  blended,  // a gate for each group and location takes the undeformed input for part of the result
};

struct DCNv3Options {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 1;
  Size2 dilation = 1;
  std::int64_t groups = 4;
  double offset_scale = 1;
  CenterTap center = CenterTap::keep;
  std::int64_t depthwise_kernel = 3;  // side of the convolution that offsets and masks read from
  CenterFeature center_feature = CenterFeature::none;  // needs stride 1

  DCNOptions core() const {  // of the op
    return {kernel, stride, padding, dilation, groups, offset_scale, center, MaskRule::softmax};
  }
};

// [N H W C] -> [N P Q C]: "input" (linear), the core of dcn_v3 with masks by softmax, "output"
// (linear). Offsets and masks are linear layers "offset" and "mask", zero at the start, of a
// branch of x: a depthwise convolution "depthwise" of the layer's stride, "norm" (LayerNorm), GELU.
// So the core starts as a mean filter of the kernel's size. "input" and "output" start Xavier
// uniform, biases as zeros. A blended centre feature adds the linear layer "gate", zero at the
// start: half of the input.
class DCNv3 : public Module {
 public:
  explicit DCNv3(std::int64_t channels, const DCNv3Options& options = {});

  Var operator()(const Var& x) const;
  const DCNv3Options& options() const { return options_; }

 private:
  DCNv3Options options_;

 public:
  Linear input;
  Conv2d depthwise;
  LayerNorm norm;
  Linear offset, mask;
  std::optional<Linear> gate;  // of a blended centre feature
  Linear output;
};

}  // namespace pliant
