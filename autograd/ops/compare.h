// Comparison and choice, element by element, with NumPy broadcasting.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {

// 1 where the comparison holds, else 0, in the operands' dtype, so that a mask multiplies as it
// is; of integers, whatever their width, in float32. NaN compares as in C++. No gradient passes.
Tensor gt(const Var& a, const Var& b);  // a > b
Tensor ge(const Var& a, const Var& b);  // a >= b
Tensor lt(const Var& a, const Var& b);  // a < b
Tensor le(const Var& a, const Var& b);  // a <= b
Tensor eq(const Var& a, const Var& b);  // a == b
Tensor ne(const Var& a, const Var& b);  // a != b

inline Tensor gt(const Var& a, double b) { return gt(a, scalar_like(b, a)); }
inline Tensor ge(const Var& a, double b) { return ge(a, scalar_like(b, a)); }
inline Tensor lt(const Var& a, double b) { return lt(a, scalar_like(b, a)); }
inline Tensor le(const Var& a, double b) { return le(a, scalar_like(b, a)); }
inline Tensor eq(const Var& a, double b) { return eq(a, scalar_like(b, a)); }
inline Tensor ne(const Var& a, double b) { return ne(a, scalar_like(b, a)); }

// Of x's shape, 1 where the element is finite (NaN), else 0.
Tensor isfinite(const Var& x);
Tensor isnan(const Var& x);
// Whether an element (every element) is not 0; NaN is not 0. Waits for the device.
bool any(const Var& x);
bool all(const Var& x);

// The larger (smaller) of a and b; NaN if either is. The gradient goes to the one whose value it
// is, so to a NaN alone; equals, and two NaNs, share it.
Var maximum(const Var& a, const Var& b);
Var minimum(const Var& a, const Var& b);

// a where the condition, of any dtype, is not 0, else b; what is not chosen has no influence, be it
// NaN. Integers give int64.
Var where(const Tensor& condition, const Var& a, const Var& b);
template <Number T>
Var where(const Tensor& condition, const Var& a, T b) {
  return where(condition, a, scalar_like(b, a));
}
template <Number T>
Var where(const Tensor& condition, T a, const Var& b) {
  return where(condition, scalar_like(a, b), b);
}

}  // namespace pliant
