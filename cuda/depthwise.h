// Depthwise convolution, where every filter reads one channel and a product of matrices has nothing
// to share: straight sums, neighbouring threads along the channels. Serves conv2d and
// cross_correlation_depthwise.
#pragma once

#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/matmul.h>

namespace pliant::cuda {

// From [rows columns] to [columns rows]. These exist for T = float and double.
template <class T>
void swap_axes(const char* op, std::int64_t rows, std::int64_t columns, const T* from, T* to);
// A depthwise convolution's weight [k r s] as [r s k].
template <class T>
const T* filters_by_tap(const char* op, const Conv2dGeometry& g, const T* weight,
                        Workspace& workspace);

// The three passes of a depthwise convolution (groups = c), whose filter k reads channel k / (k/c).
// Weights and their gradient lie by tap, so that neighbouring filters lie together: [r s k], shared
// by the batch, or [n r s k]. bias [k] may be null. They exist for T = float and double.
template <class T>
void depthwise_forward(const char* op, const Conv2dGeometry& g, Sharing weights, const T* x,
                       const T* weight, const T* bias, T* y);
template <class T>
void depthwise_data_gradient(const char* op, const Conv2dGeometry& g, Sharing weights, const T* dy,
                             const T* weight, T* dx);
template <class T>
void depthwise_weight_gradient(const char* op, const Conv2dGeometry& g, Sharing weights, const T* x,
                               const T* dy, T* dweight, Workspace& workspace);

}  // namespace pliant::cuda
