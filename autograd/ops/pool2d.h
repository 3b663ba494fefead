// Pooling over NHWC maps.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

struct MaxPoolOptions {
  Size2 kernel = 2;
  Size2 stride = 2;
  Padding padding = 0;  // of minus infinity; at most half the kernel
  Size2 dilation = 1;
};

// x [N H W C] -> [N P Q C], P as in conv2d; the gradient goes to the first largest pixel. NaN
// counts as largest.
Var max_pool2d(const Var& x, const MaxPoolOptions& options = {});

// Mean over H and W: x [N H W C] -> [N C].
Var global_avg_pool2d(const Var& x);

}  // namespace pliant
