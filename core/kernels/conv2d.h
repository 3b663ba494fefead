// 2-D convolution (cross-correlation) over NHWC maps: geometry and signatures.
//
//   y[n,p,q,k] = bias[k] + sum over r,s,c of
//                x[n, p*stride_h - pad_top + r*dilation_h, q*stride_w - pad_left + s*dilation_w, c]
//                * weight[k,r,s,c']
//
// with zeros outside x; output channel k of group k / (K/groups) reads that group's C/groups
// input channels, c' counting within the group.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct Conv2dGeometry {
  std::int64_t n, h, w, c;  // input [n h w c]
  std::int64_t k, r, s;     // weight [k r s c/groups]
  std::int64_t p, q;        // output [n p q k]
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  // padding after is implied by p and q
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t groups = 1;

  // Row (column) of the input that output row p (column q) reads through tap r (s).
  PLIANT_HD std::int64_t row(std::int64_t out, std::int64_t tap) const {
    return out * stride_h - pad_top + tap * dilation_h;
  }
  PLIANT_HD std::int64_t column(std::int64_t out, std::int64_t tap) const {
    return out * stride_w - pad_left + tap * dilation_w;
  }
};

// bias may be null.
template <class T>
using Conv2dForward = void(const Conv2dGeometry&, const T* x, const T* weight, const T* bias, T* y,
                           Workspace&);
template <class T>
using Conv2dDataGradient = void(const Conv2dGeometry&, const T* dy, const T* weight, T* dx,
                                Workspace&);
template <class T>
using Conv2dWeightGradient = void(const Conv2dGeometry&, const T* x, const T* dy, T* dweight,
                                  Workspace&);

namespace cpu {
extern FloatingKernel<Conv2dForward> conv2d_forward;
extern FloatingKernel<Conv2dDataGradient> conv2d_data_gradient;
extern FloatingKernel<Conv2dWeightGradient> conv2d_weight_gradient;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<Conv2dForward> conv2d_forward;
extern FloatingKernel<Conv2dDataGradient> conv2d_data_gradient;
extern FloatingKernel<Conv2dWeightGradient> conv2d_weight_gradient;
}  // namespace cuda

}  // namespace pliant
