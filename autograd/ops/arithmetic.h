// Element-wise arithmetic with NumPy broadcasting, and changes of shape.
//
// Integers of any width are taken as int64 and give int64, without a gradient; sums, differences
// and products beyond its range wrap around. They do not mix with floating tensors: convert one.
#pragma once

#include <type_traits>

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

// A number beside a Var takes its dtype and device, whatever its own type: a mean is sum(x) / n.
// Beside integers it must be a whole one, and becomes int64.
template <class T>
concept Number = std::is_arithmetic_v<T>;
Var scalar_like(double value, const Var& x);
template <Number T>
Var scalar_like(T value, const Var& x) {
  return scalar_like(static_cast<double>(value), x);
}
template <Number T>
Var operator+(const Var& a, T b) {
  return add(a, scalar_like(b, a));
}
template <Number T>
Var operator-(const Var& a, T b) {
  return sub(a, scalar_like(b, a));
}
template <Number T>
Var operator*(const Var& a, T b) {
  return mul(a, scalar_like(b, a));
}
template <Number T>
Var operator/(const Var& a, T b) {
  return div(a, scalar_like(b, a));
}
inline Tensor floor_divide(const Var& a, double b) { return floor_divide(a, scalar_like(b, a)); }
inline Var remainder(const Var& a, double b) { return remainder(a, scalar_like(b, a)); }
template <Number T>
Var operator+(T a, const Var& b) {
  return add(scalar_like(a, b), b);
}
template <Number T>
Var operator-(T a, const Var& b) {
  return sub(scalar_like(a, b), b);
}
template <Number T>
Var operator*(T a, const Var& b) {
  return mul(scalar_like(a, b), b);
}
template <Number T>
Var operator/(T a, const Var& b) {
  return div(scalar_like(a, b), b);
}

// a becomes the result, a node more on the tape; its tensor is not written to. A sum of losses may
// begin from nothing: an undefined Var += b is b.
template <class B>
Var& operator+=(Var& a, const B& b) {
  if constexpr (std::is_convertible_v<const B&, Var>)
    if (!a.defined()) return a = b;
  return a = a + b;
}
template <class B>
Var& operator-=(Var& a, const B& b) {
  return a = a - b;
}
template <class B>
Var& operator*=(Var& a, const B& b) {
  return a = a * b;
}
template <class B>
Var& operator/=(Var& a, const B& b) {
  return a = a / b;
}

// x stretched to `shape`; its gradient is sum_to.
Var broadcast_to(const Var& x, const Shape& shape);
// x summed over the axes along which `shape` would be broadcast to x's; its gradient is
// broadcast_to.
Var sum_to(const Var& x, const Shape& shape);

// The same elements in another shape; one extent may be -1.
Var reshape(const Var& x, std::initializer_list<std::int64_t> extents);
Var reshape(const Var& x, const Shape& shape);

}  // namespace pliant
