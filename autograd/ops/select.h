// Elements chosen by a mask: a tensor of any dtype whose elements hold where they are not 0.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// Where the elements are not 0 (NaN is not): int64 [K rank], a row of indices for each, in
// row-major order. Found on the CPU, wherever x is, and so it waits for the device.
Tensor nonzero(const Var& x);

// The elements where the mask holds, in row-major order: [K]. x and mask broadcast. Waits for the
// device, as nonzero().
Var masked_select(const Var& x, const Tensor& mask);

// x with `value` where the mask, which broadcasts to x's shape, holds; no gradient passes there.
Var masked_fill(const Var& x, const Tensor& mask, double value);

}  // namespace pliant
