// Deformable kernels (Gao 2020), alone or with deformed samples: geometry, formula and signatures.
// The weights are a scope of scope_h x scope_w from which every location takes a kernel of its own:
//
//   y[n,p,q,k] = bias[k] + sum over taps t=(r,s) and channels c of
//                B_{k,c'}(r + (SH-R)/2 + dy, s + (SW-S)/2 + dx) * X_c(t)
//
// where B interpolates weight[k,:,:,c'], zero-padded, (dy, dx) = rotation[n,p,q,c mod G,t] with G
// rotation groups, and X_c(t) is what a convolution's tap t reads of channel c, or a deformable
// convolution's (zero-padded, one offset group). B is linear in the weights, so for any number of
// channels per group this is a convolution by the whole scope of columns
//
//   Z[location,u,c] = sum over t of (the share of scope position u in tap t) * X_c(t).
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/deform_conv2d.h>

namespace pliant {

struct DeformKernelGeometry {
  Conv2dGeometry conv;            // r x s is the kernel
  std::int64_t scope_h, scope_w;  // weight [k scope_h scope_w c/groups]
  std::int64_t rotation_groups = 1;

  PLIANT_HD std::int64_t taps() const { return conv.r * conv.s; }
  // The convolution by the whole scope.
  PLIANT_HD Conv2dGeometry scope() const {
    Conv2dGeometry whole = conv;
    whole.r = scope_h;
    whole.s = scope_w;
    return whole;
  }
  // Where a tap lies in the scope before it is rotated.
  template <class T>
  PLIANT_HD T scope_row(std::int64_t r) const {
    return static_cast<T>(r) + static_cast<T>(scope_h - conv.r) / T(2);
  }
  template <class T>
  PLIANT_HD T scope_column(std::int64_t s) const {
    return static_cast<T>(s) + static_cast<T>(scope_w - conv.s) / T(2);
  }
};

// Index of the pair (rotation group, tap) at location `row`: half that of its dy in `rotation`.
PLIANT_HD inline std::int64_t rotation_pair(const DeformKernelGeometry& g, std::int64_t row,
                                            std::int64_t group, std::int64_t tap) {
  return (row * g.rotation_groups + group) * g.taps() + tap;
}

// What a rotated tap reads of the scope; its pixels are scope positions.
template <class T>
PLIANT_HD BilinearTap<T> scope_tap(const DeformKernelGeometry& g, std::int64_t r, std::int64_t s,
                                   T dy, T dx) {
  return bilinear_tap(g.scope_row<T>(r) + dy, g.scope_column<T>(s) + dx, g.scope_h, g.scope_w,
                      Border::zeros);
}

// offset [n p q 2rs] and bias may be null.
template <class T>
struct DeformKernelForwardArgs {
  const T* x;
  const T* offset;
  const T* rotation;
  const T* weight;
  const T* bias;
  T* y;
};
template <class T>
using DeformKernelForward = void(const DeformKernelGeometry&,
                                 const DeformKernelForwardArgs<T>& args, Workspace&);
// Each of dx, doffset, drotation and dweight may be null and is then left out; so may the weight
// where only dweight is wanted. One kernel, because with one channel per group all follow from the
// same walk.
template <class T>
struct DeformKernelGradientArgs {
  const T* x;
  const T* offset;
  const T* rotation;
  const T* weight;
  const T* dy;
  T* dx;
  T* doffset;
  T* drotation;
  T* dweight;
};
template <class T>
using DeformKernelGradient = void(const DeformKernelGeometry&,
                                  const DeformKernelGradientArgs<T>& args, Workspace&);

namespace cpu {
extern FloatKernel<DeformKernelForward> deform_kernel_forward;
extern FloatKernel<DeformKernelGradient> deform_kernel_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<DeformKernelForward> deform_kernel_forward;
extern FloatKernel<DeformKernelGradient> deform_kernel_gradient;
}  // namespace cuda

}  // namespace pliant
