// Conditional convolution (Yang et al. 2019, CondConv).
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

// Image n is convolved with the sum over experts e of routing[n,e] * weight[e]: one convolution
// with mixed weights instead of E convolutions with mixed results. x [N H W C], weight
// [E K R S C/groups], routing [N E] (after its sigmoid), bias [K] or undefined -> [N P Q K].
Var cond_conv2d(const Var& x, const Var& weight, const Var& routing, const Var& bias = {},
                const ConvOptions& options = {});

}  // namespace pliant
