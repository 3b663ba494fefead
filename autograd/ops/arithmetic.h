// Element-wise arithmetic with NumPy broadcasting, and changes of shape.
//
// Integers of any width are taken as int64 and give int64, without a gradient; sums, differences
// and products beyond its range wrap around. They do not mix with floating tensors: convert one.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// Shapes broadcast as in NumPy: aligned at the last axis, an extent of 1 stretches. One dtype.
Var add(const Var& a, const Var& b);
Var sub(const Var& a, const Var& b);
Var mul(const Var& a, const Var& b);
Var div(const Var& a, const Var& b);
Var neg(const Var& x);

// The quotient rounded down, without a gradient, and what is left of a: of the sign of b (PyTorch's
// rules). An integer 0 in b is an Error on the CPU; on a GPU the quotient by it is 0.
Tensor floor_divide(const Var& a, const Var& b);
Var remainder(const Var& a, const Var& b);

inline Var operator+(const Var& a, const Var& b) { return add(a, b); }
inline Var operator-(const Var& a, const Var& b) { return sub(a, b); }
inline Var operator*(const Var& a, const Var& b) { return mul(a, b); }
inline Var operator/(const Var& a, const Var& b) { return div(a, b); }
inline Var operator-(const Var& x) { return neg(x); }

// A parameter beside a Var is lifted to where that is: x + p trains p. What is beside p alone is
// not on a tape: tape(p) puts it there.
inline Var operator+(const Var& a, const Parameter& b) { return add(a, a.lift(b)); }
inline Var operator-(const Var& a, const Parameter& b) { return sub(a, a.lift(b)); }
inline Var operator*(const Var& a, const Parameter& b) { return mul(a, a.lift(b)); }
inline Var operator/(const Var& a, const Parameter& b) { return div(a, a.lift(b)); }
inline Var operator+(const Parameter& a, const Var& b) { return add(b.lift(a), b); }
inline Var operator-(const Parameter& a, const Var& b) { return sub(b.lift(a), b); }
inline Var operator*(const Parameter& a, const Var& b) { return mul(b.lift(a), b); }
inline Var operator/(const Parameter& a, const Var& b) { return div(b.lift(a), b); }

// A number beside a Var takes its dtype and device; beside integers it is a whole one, int64.
Var scalar_like(double value, const Var& x);
inline Var operator+(const Var& a, double b) { return add(a, scalar_like(b, a)); }
inline Var operator-(const Var& a, double b) { return sub(a, scalar_like(b, a)); }
inline Var operator*(const Var& a, double b) { return mul(a, scalar_like(b, a)); }
inline Var operator/(const Var& a, double b) { return div(a, scalar_like(b, a)); }
inline Tensor floor_divide(const Var& a, double b) { return floor_divide(a, scalar_like(b, a)); }
inline Var remainder(const Var& a, double b) { return remainder(a, scalar_like(b, a)); }
inline Var operator+(double a, const Var& b) { return add(scalar_like(a, b), b); }
inline Var operator-(double a, const Var& b) { return sub(scalar_like(a, b), b); }
inline Var operator*(double a, const Var& b) { return mul(scalar_like(a, b), b); }
inline Var operator/(double a, const Var& b) { return div(scalar_like(a, b), b); }

// x stretched to `shape`; its gradient is sum_to.
Var broadcast_to(const Var& x, const Shape& shape);
// x summed over the axes along which `shape` would be broadcast to x's; its gradient is
// broadcast_to.
Var sum_to(const Var& x, const Shape& shape);

// The same elements in another shape; one extent may be -1.
Var reshape(const Var& x, std::initializer_list<std::int64_t> extents);
Var reshape(const Var& x, const Shape& shape);

}  // namespace pliant
