// Norms of vectors.
#pragma once

#include <pliant/autograd/ops/reduce.h>

namespace pliant {

struct NormOptions {
  double p = 2;
  KeepDim keep = KeepDim::no;
};

// (sum of |x|^p over the axes)^(1/p), worked out in float64, so that no power overflows on the way;
// p = 0 counts what is not 0, infinity (minus infinity) is the largest (smallest) |x|. The gradient
// is 0 where x or the norm is 0, and among equal largest ones it is shared.
Var norm(const Var& x, const std::vector<int>& axes, const NormOptions& options = {});
Var norm(const Var& x);  // p = 2, over all elements

}  // namespace pliant
