// The kernels that global deformable kernels (Gao 2020) take from their scope: geometry, formula
// and signatures.
//
//   kernels[n,k,r,s,c] = weight[k,:,:,c] at (r + (SH-R)/2 + dy, s + (SW-S)/2 + dx)
//
// by bilinear interpolation with coordinates clamped to the scope; (dy, dx) = offset[n,t,0..1] of
// tap t = (r,s).
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/portable.h>

namespace pliant {

struct GlobalDeformKernelGeometry {
  std::int64_t n, k, c;           // offset [n r*s*2], kernels [n k r s c]
  std::int64_t r, s;              // the kernel
  std::int64_t scope_h, scope_w;  // weight [k scope_h scope_w c]

  PLIANT_HD std::int64_t taps() const { return r * s; }
  PLIANT_HD std::int64_t positions() const { return scope_h * scope_w; }
};

// What tap t reads of the scope; its pixels are scope positions.
template <class T>
PLIANT_HD BilinearTap<T> global_deform_kernel_tap(const GlobalDeformKernelGeometry& g,
                                                  std::int64_t t, T dy, T dx) {
  const std::int64_t r = t / g.s, s = t % g.s;
  const T row = static_cast<T>(r) + static_cast<T>(g.scope_h - g.r) / T(2);
  const T column = static_cast<T>(s) + static_cast<T>(g.scope_w - g.s) / T(2);
  return bilinear_tap(row + dy, column + dx, g.scope_h, g.scope_w, Border::clamp);
}

template <class T>
using GlobalDeformKernelForward = void(const GlobalDeformKernelGeometry&, const T* weight,
                                       const T* offset, T* kernels);
// Each of dweight and doffset may be null and is then left out.
template <class T>
using GlobalDeformKernelGradient = void(const GlobalDeformKernelGeometry&, const T* weight,
                                        const T* offset, const T* dkernels, T* dweight, T* doffset);

namespace cpu {
extern FloatKernel<GlobalDeformKernelForward> global_deform_kernel_forward;
extern FloatKernel<GlobalDeformKernelGradient> global_deform_kernel_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<GlobalDeformKernelForward> global_deform_kernel_forward;
extern FloatKernel<GlobalDeformKernelGradient> global_deform_kernel_gradient;
}  // namespace cuda

}  // namespace pliant
