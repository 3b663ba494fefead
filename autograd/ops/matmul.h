// Matrix products.
#pragma once

#include <pliant/autograd/tape.h>
#include <pliant/core/kernels/matmul.h>

namespace pliant {

// [... M K] [... K N] -> [... M N]: a product for every matrix of the leading axes, which broadcast
// as in NumPy. A vector is a row on the left and a column on the right, and its axis of extent 1
// is left out of the result: [K] [K] -> a scalar. PyTorch's matmul. An empty K gives zeros.
Var matmul(const Var& a, const Var& b);

// y = activation(x weight^T + bias) over the last axis: x [... in], weight [out in], bias [out] or
// undefined -> [... out].
Var linear(const Var& x, const Var& weight, const Var& bias = {},
           Activation activation = Activation::none);

}  // namespace pliant
