// Deformable convolution (Dai 2017; with a mask, Zhu 2018): geometry, formula and signatures.
//
//   y[n,p,q,k] = bias[k] + sum over taps t=(r,s) and channels c of
//                weight[k,r,s,c'] * mask[n,p,q,g,t] * S_c(row(p,r) + dy, column(q,s) + dx)
//
// where (dy, dx) = offset[n,p,q,g,t,0..1], g = c / (C/offset_groups), and S_c is bilinear
// interpolation of channel c under one of two boundary rules.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/conv2d.h>

namespace pliant {

enum class Boundary : unsigned char {
  zero_pad,  // bilinear on the map padded by zeros; 0 unless -1 < y < H and -1 < x < W
  dcn_v1,    // the first operator's rule: 0 unless 0 <= y < H and 0 <= x < W, else clamped
};

struct DeformGeometry {
  Conv2dGeometry conv;
  std::int64_t offset_groups = 1;
  Boundary boundary = Boundary::zero_pad;
};

// mask and bias may be null.
template <class T>
using DeformConvForward = void(const DeformGeometry&, const T* x, const T* offset, const T* mask,
                               const T* weight, const T* bias, T* y, Workspace&);
// Gradients by x, offset and mask: each of dx, doffset, dmask may be null and is then left out.
// One kernel, because all three follow from the same product dy * weight.
template <class T>
using DeformConvInputGradient = void(const DeformGeometry&, const T* x, const T* offset,
                                     const T* mask, const T* weight, const T* dy, T* dx,
                                     T* doffset, T* dmask, Workspace&);
template <class T>
using DeformConvWeightGradient = void(const DeformGeometry&, const T* x, const T* offset,
                                      const T* mask, const T* dy, T* dweight, Workspace&);

namespace cpu {
DeformConvForward<float> deform_conv_forward;
DeformConvForward<double> deform_conv_forward;
DeformConvInputGradient<float> deform_conv_input_gradient;
DeformConvInputGradient<double> deform_conv_input_gradient;
DeformConvWeightGradient<float> deform_conv_weight_gradient;
DeformConvWeightGradient<double> deform_conv_weight_gradient;
}  // namespace cpu

namespace cuda {
DeformConvForward<float> deform_conv_forward;
DeformConvForward<double> deform_conv_forward;
DeformConvInputGradient<float> deform_conv_input_gradient;
DeformConvInputGradient<double> deform_conv_input_gradient;
DeformConvWeightGradient<float> deform_conv_weight_gradient;
DeformConvWeightGradient<double> deform_conv_weight_gradient;
}  // namespace cuda

}  // namespace pliant
