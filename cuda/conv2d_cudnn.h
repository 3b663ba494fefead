// The three passes of conv2d by cuDNN 9's graph API, in a build that has it (kHasCudnn).
#pragma once

#include <pliant/core/kernels/conv2d.h>

namespace pliant::cuda {

#ifdef PLIANT_WITH_CUDNN
inline constexpr bool kHasCudnn = true;
#else
inline constexpr bool kHasCudnn = false;
#endif

enum class ConvPass : unsigned char { forward, data_gradient, weight_gradient };

// The arrays of a pass: a convolution's input, weight and output, or their gradients. The one that
// the pass computes is written: y by forward, x by data_gradient, weight by weight_gradient.
struct ConvArrays {
  const void *x, *weight, *y;
};

// Computes a pass without bias; false, and nothing done, where cuDNN has no way that gives the same
// bits in every run at the precision that gpu_options() asks for. The way is chosen once per
// geometry from cuDNN's heuristics, never from timing, and kept. T is float, double or BFloat16.
template <class T>
bool cudnn_conv2d(ConvPass pass, const Conv2dGeometry& g, const ConvArrays& arrays,
                  Workspace& workspace);

}  // namespace pliant::cuda
