// Permutation of axes.
#pragma once

#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

// y whose axis i is axis axes[i] of x: permute(x, {0, 3, 1, 2}) makes [N C H W] of [N H W C].
// `axes` names each axis of x once (negative ones count from the end). The result is contiguous;
// where no element moves, it shares x's storage as reshape does. Its gradient is the inverse
// permutation.
Var permute(const Var& x, const std::vector<int>& axes);

}  // namespace pliant
