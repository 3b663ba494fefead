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

// x [N H W C] -> [N P Q C] with P = floor((H + top + bottom - dilation*(kernel-1) - 1) / stride) +
// 1, the same for Q; the gradient goes to the first largest pixel. NaN counts as largest. A window
// whose every tap lies in the padding (dilation can do that) gives minus infinity.
Var max_pool2d(const Var& x, const MaxPoolOptions& options = {});

// Mean over H and W, neither of which may be 0: x [N H W C] -> [N C].
Var global_avg_pool2d(const Var& x);

}  // namespace pliant
