// Global deformable kernels (Gao et al. 2020): every image takes a kernel of its own from the
// weights.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

// The kernels [N K R S C], R x S = size, of N images out of a scope, weight [K SH SW C], of any
// size: tap (r, s) is found at (r + (SH-R)/2 + dy, s + (SW-S)/2 + dx), bilinear, the coordinate
// clamped to the scope; (dy, dx) from offset [N R*S*2], taps in row-major order. Derivatives by an
// offset are the right-hand ones on a scope position and 0 outside the scope.
Var kernels_of_scope(const Var& weight, const Var& offset, const Size2& size);

// conv2d of image n with its kernel. x [N H W C], weight [K SH SW C/groups], bias [K] or undefined
// -> [N P Q K].
Var global_deform_kernel(const Var& x, const Var& offset, const Var& weight, const Size2& kernel,
                         const Var& bias = {}, const ConvOptions& options = {});

}  // namespace pliant
