// ConvOffset2d: the per-channel offset field of the Keras implementation of deformable convolution.
#pragma once

#include <pliant/layers/conv2d.h>

namespace pliant {

// [N H W C] -> the same: every channel warped by its own field of offsets (map_offsets), which a
// 3x3 convolution "offset" (C -> 2C, same padding, no bias) reads from x. It starts as zero, so
// the layer starts as the identity. A convolution after it is then deformable.
class ConvOffset2d : public Module {
 public:
  explicit ConvOffset2d(std::int64_t channels);

  Var operator()(const Var& x) const;
  // The field that x is warped by, [N H W 2C]: (dy, dx) of every pixel and channel.
  Var field(const Var& x) const;

  Conv2d offset;
};

}  // namespace pliant
