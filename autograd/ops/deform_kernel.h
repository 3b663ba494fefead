// Deformable kernels (Gao et al. 2020): every location takes a kernel of its own from the weights.
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/kernels/deform_kernel.h>

namespace pliant {

struct DeformKernelOptions {
  Size2 kernel = 3;
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t rotation_groups = 1;
};

// A convolution whose weights are a scope [K SH SW C/groups] of any size. At each output pixel, tap
// (r, s) of the R x S kernel has the weights found in the scope at (r + (SH-R)/2 + dy,
// s + (SW-S)/2 + dx), bilinear and zero outside the scope; (dy, dx) from rotation
// [N P Q G*R*S*2] with G rotation groups, taps in row-major order. Input channel c follows rotation
// group c mod G. x [N H W C], bias [K] or undefined -> [N P Q K]. Any number of groups; derivatives
// by the rotation are the right-hand ones where a tap lies on a scope position, or right before the
// first (-1).
Var deform_kernel(const Var& x, const Var& rotation, const Var& weight, const Var& bias = {},
                  const DeformKernelOptions& options = {});

// The same with x read as in deform_conv2d: tap t of a pixel is moved by its pair (dy, dx) of
// offset [N P Q 2*R*S], bilinear on the zero-padded map.
Var deform_kernel_conv(const Var& x, const Var& offset, const Var& rotation, const Var& weight,
                       const Var& bias = {}, const DeformKernelOptions& options = {});

}  // namespace pliant
