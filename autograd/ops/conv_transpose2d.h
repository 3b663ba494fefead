// Transposed 2-D convolution over NHWC maps: the map grows by the stride.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

struct ConvTransposeOptions {
  Size2 stride = 1;
  Padding padding = 0;       // what is cut off the result, in pixels
  Size2 output_padding = 0;  // rows and columns more at the end; below the stride or the dilation
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

// x [N H W C], weight [K R S C/groups], bias [K] or undefined -> [N P Q K] with
// P = (H - 1) * stride - top - bottom + dilation*(R-1) + output_padding + 1, the same for Q.
// Input pixel (i, j) adds weight[k, r, s] of its channels to output pixel
// (i * stride - top + r * dilation, j * stride - left + s * dilation): the data gradient of a
// convolution from K to C channels, and PyTorch's operator with the weight laid out as conv2d's.
Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias = {},
                     const ConvTransposeOptions& options = {});

}  // namespace pliant
