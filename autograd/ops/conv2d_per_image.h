// 2-D convolution of each image with weights of its own.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

// conv2d of image n with weight[n]: x [N H W C], weight [N K R S C/groups], bias [K] (of all
// images) or undefined -> [N P Q K].
Var conv2d_per_image(const Var& x, const Var& weight, const Var& bias = {},
                     const ConvOptions& options = {});

}  // namespace pliant
