// Depthwise convolution on the CPU, where every filter reads one channel and a product of matrices
// has nothing to share: walks over lines of pixels with vectors along the channels. Serves conv2d
// (conv2d.cpp) and cross_correlation_depthwise.
#pragma once

#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/matmul.h>

namespace pliant::cpu {

// One group of channels is as well served by the dense kernels, which share nothing then either.
inline bool is_depthwise(const Conv2dGeometry& g) { return g.groups > 1 && g.groups == g.c; }

// The three passes of a depthwise convolution (groups = c), whose filter k reads channel k / (k/c).
// Weights and their gradient lie by tap, so that neighbouring filters lie together: [r s k], shared
// by the batch, or [n r s k]. bias [k] may be null. They exist for T = float and double.
template <class T>
void depthwise_forward(const Conv2dGeometry& g, Sharing weights, const T* x, const T* weight,
                       const T* bias, T* y, Workspace& workspace);
template <class T>
void depthwise_data_gradient(const Conv2dGeometry& g, Sharing weights, const T* dy, const T* weight,
                             T* dx, Workspace& workspace);
template <class T>
void depthwise_weight_gradient(const Conv2dGeometry& g, Sharing weights, const T* x, const T* dy,
                               T* dweight, Workspace& workspace);

}  // namespace pliant::cpu
