// ConvOffset2d: the per-channel offset field of the Keras implementation of deformable convolution.
#pragma once

#include <optional>

#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/layers/conv2d.h>
#include <pliant/layers/offset_context.h>

namespace pliant {

// Which of the 2C numbers that the convolution gives at a pixel displace which channel.
enum class FieldOrder : unsigned char {
  interleaved,  // channel c of pixel (h, w): its numbers 2c (dy) and 2c + 1 (dx)
  // As the published code reshapes them: [N 2C H W], as its convolution gives it, seen as
  // [N*C H W 2] without a permutation. The displacement of channel c at pixel n = h*W + w is
  // numbers 2n and 2n + 1 of the planes 2c and 2c + 1 laid end to end, which come from another
  // place of the map.
  scrambled,
};

struct ConvOffset2dOptions {
  FieldOrder order = FieldOrder::interleaved;
  AtIntegers at_integers = AtIntegers::right_derivative;  // see map_offsets
  // Of an OffsetContext that the convolution reads instead of the map; 0: there is none.
  std::int64_t context_channels = 0;
};

// [N H W C] -> the same: every channel warped by its own field of offsets (map_offsets), which a
// 3x3 convolution "offset" (C -> 2C, same padding, no bias) reads from x. It starts as zero, so
// the layer starts as the identity. A convolution after it is then deformable.
class ConvOffset2d : public Module {
 public:
  explicit ConvOffset2d(std::int64_t channels, const ConvOffset2dOptions& options = {});

  Var operator()(const Var& x) const;
  // The field that x is warped by, [N H W 2C]: (dy, dx) of every pixel and channel.
  Var field(const Var& x) const;

  const ConvOffset2dOptions& options() const { return options_; }

  std::optional<OffsetContext> context;  // "context", where there is one
  Conv2d offset;

 private:
  ConvOffset2dOptions options_;
};

}  // namespace pliant
