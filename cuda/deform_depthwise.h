// Deformable convolution where every filter reads one channel: straight sums along the channels, as
// in depthwise.h, without columns or products.
#pragma once

#include <pliant/core/kernels/deform_conv2d.h>

namespace pliant::cuda {

// As DeformConvForward and DeformConvGradient; groups = c. They exist for T = float and double.
template <class T>
void deform_depthwise_forward(const char* op, const DeformGeometry& g, const T* x, const T* offset,
                              const T* mask, const T* weight, const T* bias, T* y,
                              Workspace& workspace);
template <class T>
void deform_depthwise_gradient(const char* op, const DeformGeometry& g, const T* x, const T* offset,
                               const T* mask, const T* weight, const T* dy, T* dx, T* doffset,
                               T* dmask, T* dweight, Workspace& workspace);

}  // namespace pliant::cuda
