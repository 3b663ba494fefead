// DeformConv2d: a deformable convolution (Dai 2017; modulated, Zhu 2018) with its offset branch.
#pragma once

#include <optional>

#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/modulation.h>
#include <pliant/layers/offset_context.h>

namespace pliant {

enum class Offsets : unsigned char {
  learned,  // by a convolution "offset" of the layer's own
  given,    // by the caller of every call
};

struct DeformConv2dOptions {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t offset_groups = 1;
  Border border = Border::zeros;
  Modulation modulation = Modulation::none;
  Offsets offsets = Offsets::learned;
  // Of an OffsetContext that the offset and mask convolutions read instead of the layer's input,
  // themselves 3x3 then; 0: there is none.
  std::int64_t context_channels = 0;
  Bias bias = Bias::yes;
  Initialiser initialiser = {};  // of the weight; init::he_normal unless given. The bias: zeros

  DeformConvOptions conv() const {  // of the op
    return {stride, padding, dilation, groups, offset_groups, border};
  }
};

// [N H W in] -> [N P Q out], see deform_conv2d. weight and bias are named and shaped as Conv2d's,
// so a checkpoint of a regular net fits:
// load(state, {.may_lack = {"*.offset.*", "*.mask.*", "*.context.*"}}).
// The children "offset" [.. 2*G*R*S] and "mask" [.. G*R*S] have the layer's kernel, stride,
// padding and dilation and start as zeros, so that before any step the layer gives what a Conv2d
// of the same weights gives; with Modulation::sigmoid half of it, the bias apart. Detectors train
// the offsets at a tenth of the rate: net.set_lr_factor("*.offset.*", 0.1).
class DeformConv2d : public Module {
 public:
  DeformConv2d(std::int64_t in_channels, std::int64_t out_channels,
               DeformConv2dOptions options = {});

  // Offsets (and mask) from the layer's own branch.
  Var operator()(const Var& x) const;
  // Offsets [N P Q 2*G*R*S] and, if defined, a mask [N P Q G*R*S] from the caller.
  Var operator()(const Var& x, const Var& offsets, const Var& mask = {}) const;

  // What the layer's own branch says for x: offsets [N P Q 2*G*R*S], and the mask [N P Q G*R*S],
  // undefined for Modulation::none.
  struct Branch {
    Var offsets, mask;
  };
  Branch branch(const Var& x) const;

  const DeformConv2dOptions& options() const { return options_; }

  Parameter weight, bias;                        // bias is undefined without one
  std::optional<OffsetContext> context;          // "context", where there is one
  std::optional<Conv2d> offset_conv, mask_conv;  // "offset" and "mask", where there are any

 private:
  Conv2d zero_branch(std::int64_t in_channels, std::int64_t channels_per_tap) const;

  DeformConv2dOptions options_;
};

}  // namespace pliant
