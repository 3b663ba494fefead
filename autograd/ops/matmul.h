// Matrix products.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// [M K] [K N] -> [M N], or a batch of them: [B M K] [B K N] -> [B M N].
Var matmul(const Var& a, const Var& b);

// y = x weight^T + bias over the last axis: x [... in], weight [out in], bias [out] or undefined
// -> [... out].
Var linear(const Var& x, const Var& weight, const Var& bias = {});

}  // namespace pliant
