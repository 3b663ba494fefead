// Deformable convolution (Dai 2017; with a mask, Zhu 2018).
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/kernels/deform_conv2d.h>

namespace pliant {

struct DeformConvOptions {
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t offset_groups = 1;
  Border border = Border::zeros;  // or dcn_v1, the first operator's
};

// Tap (r, s) of output pixel (p, q) reads x at
//   (p*stride - pad + r*dilation + dy, q*stride - pad + s*dilation + dx)
// by bilinear interpolation, times mask. x [N H W C], offset [N P Q 2*G*R*S] with G offset groups,
// taps in row-major order and (dy, dx) pairs; mask [N P Q G*R*S] or undefined (all ones); weight
// [K R S C/groups]; bias [K] or undefined -> [N P Q K]. Derivatives by an offset are the
// right-hand ones where the sampling point lies on a pixel, or on the row or column before the
// first (-1) under zeros, so that zero offsets learn.
Var deform_conv2d(const Var& x, const Var& offset, const Var& weight, const Var& bias = {},
                  const Var& mask = {}, const DeformConvOptions& options = {});

}  // namespace pliant
