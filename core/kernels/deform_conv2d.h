// Deformable convolution (Dai 2017; with a mask, Zhu 2018): geometry, formula and signatures.
//
//   y[n,p,q,k] = bias[k] + sum over taps t=(r,s) and channels c of
//                weight[k,r,s,c'] * mask[n,p,q,g,t] * S_c(row(p,r) + dy, column(q,s) + dx)
//
// where (dy, dx) = offset[n,p,q,g,t,0..1], g = c / (C/offset_groups), and S_c is bilinear
// interpolation of channel c under one of two rules for the border, zeros and dcn_v1.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant {

struct DeformGeometry {
  Conv2dGeometry conv;
  std::int64_t offset_groups = 1;
  Border border = Border::zeros;
};

// The row, or column, that a tap reads: where tap 0 of its location lies, how far it is from there,
// and its offset.
template <class T>
PLIANT_HD T deform_coordinate(T place, T tap, T offset) {
  return place + tap + offset;
}

// Where tap (r, s) of output location (p, q) reads, its pair of offsets being (dy, dx). The mask
// multiplies the sample, so value, gradient by x and gradient by the offsets alike.
template <class T>
PLIANT_HD BilinearTap<T> deform_tap(const DeformGeometry& geometry, std::int64_t p, std::int64_t q,
                                    std::int64_t r, std::int64_t s, T dy, T dx) {
  const Conv2dGeometry& conv = geometry.conv;
  const T row =
      deform_coordinate(static_cast<T>(conv.row(p, 0)), static_cast<T>(r * conv.dilation_h), dy);
  const T column =
      deform_coordinate(static_cast<T>(conv.column(q, 0)), static_cast<T>(s * conv.dilation_w), dx);
  return bilinear_tap(row, column, conv.h, conv.w, geometry.border);
}

// Index of the pair (offset_group, tap) at location `row` = (n * P + p) * Q + q: that of its mask,
// and half that of its dy in `offset`.
PLIANT_HD inline std::int64_t deform_pair(const DeformGeometry& geometry, std::int64_t row,
                                          std::int64_t offset_group, std::int64_t tap) {
  const std::int64_t taps = geometry.conv.r * geometry.conv.s;
  return (row * geometry.offset_groups + offset_group) * taps + tap;
}

// mask and bias may be null. Where samples lie and what they are multiplied by stays wide.
template <class T>
struct DeformConvForwardArgs {
  const T* x;
  const Wide<T>* offset;
  const Wide<T>* mask;
  const T* weight;
  const T* bias;
  T* y;
};
template <class T>
using DeformConvForward = void(const DeformGeometry&, const DeformConvForwardArgs<T>& args,
                               Workspace&);
// Each of dx, doffset, dmask and dweight may be null and is then left out; so may the weight where
// only dweight is wanted. One kernel, because dx, doffset and dmask follow from the same product
// dy * weight and, with narrow groups, dweight from the same reading of x.
template <class T>
struct DeformConvGradientArgs {
  const T* x;
  const Wide<T>* offset;
  const Wide<T>* mask;
  const T* weight;
  const T* dy;
  T* dx;
  Wide<T>* doffset;
  Wide<T>* dmask;
  T* dweight;
};
template <class T>
using DeformConvGradient = void(const DeformGeometry&, const DeformConvGradientArgs<T>& args,
                                Workspace&);

namespace cpu {
extern FloatingKernel<DeformConvForward> deform_conv_forward;
extern FloatingKernel<DeformConvGradient> deform_conv_gradient;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<DeformConvForward> deform_conv_forward;
extern FloatingKernel<DeformConvGradient> deform_conv_gradient;
}  // namespace cuda

}  // namespace pliant
