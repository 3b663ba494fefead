// Element-wise functions of two tensors with NumPy broadcasting: the table of formulas, the
// geometry and the signatures.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/function_list.h>
#include <pliant/core/kernels/takes_over.h>
#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

// Functions of two numbers. Comparisons give 1 or 0; a comparison with NaN is false but for Ne.
namespace binary_op {

// What sums and products are worked out in: of integers beyond their range they wrap around.
template <class T>
struct WrappingOf {
  using Type = T;
};
template <>
struct WrappingOf<std::int64_t> {
  using Type = std::uint64_t;
};
template <class T>
using Wrapping = typename WrappingOf<T>::Type;

template <class T>
struct Add {
  PLIANT_HD T operator()(T a, T b) const { return T(Wrapping<T>(a) + Wrapping<T>(b)); }
};
template <class T>
struct Sub {
  PLIANT_HD T operator()(T a, T b) const { return T(Wrapping<T>(a) - Wrapping<T>(b)); }
};
template <class T>
struct Mul {
  PLIANT_HD T operator()(T a, T b) const { return T(Wrapping<T>(a) * Wrapping<T>(b)); }
};
template <class T>
struct Div {
  PLIANT_HD T operator()(T a, T b) const { return a / b; }
};
// The rest of the same sign as b, 0 <= r / b < 1; of integers by 0 it is a.
template <class T>
struct Remainder {
  PLIANT_HD T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0 || b == -1) return b == 0 ? a : 0;  // the least number by -1 would overflow
      const T rest = a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    } else {
      const T rest = std::fmod(a, b);
      return rest != T(0) && (rest < T(0)) != (b < T(0)) ? rest + b : rest;
    }
  }
};
// The quotient rounded down, (a - remainder) / b; of integers by 0 it is 0.
template <class T>
struct FloorDiv {
  PLIANT_HD T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0 || b == -1) return b == 0 ? 0 : Sub<T>()(0, a);
      return a / b - T(Remainder<T>()(a, b) != a % b);
    } else {
      if (b == T(0)) return a / b;
      const T rest = std::fmod(a, b);
      const T whole = (a - rest) / b - T(rest != T(0) && (rest < T(0)) != (b < T(0)));
      const T below = std::floor(whole);  // which rounding may have put one too low
      if (whole == T(0)) return std::copysign(T(0), a / b);
      return whole - below > T(0.5) ? below + T(1) : below;
    }
  }
};
template <class T>
struct Pow {
  PLIANT_HD T operator()(T a, T b) const { return std::pow(a, b); }
};
template <class T>
struct Gt {
  PLIANT_HD T operator()(T a, T b) const { return a > b ? T(1) : T(0); }
};
template <class T>
struct Ge {
  PLIANT_HD T operator()(T a, T b) const { return a >= b ? T(1) : T(0); }
};
template <class T>
struct Lt {
  PLIANT_HD T operator()(T a, T b) const { return a < b ? T(1) : T(0); }
};
template <class T>
struct Le {
  PLIANT_HD T operator()(T a, T b) const { return a <= b ? T(1) : T(0); }
};
template <class T>
struct Eq {
  PLIANT_HD T operator()(T a, T b) const { return a == b ? T(1) : T(0); }
};
template <class T>
struct Ne {
  PLIANT_HD T operator()(T a, T b) const { return a != b ? T(1) : T(0); }
};
// NaN if either is.
template <class T>
struct Maximum {
  PLIANT_HD T operator()(T a, T b) const { return takes_over(b, a) ? b : a; }
};
template <class T>
struct Minimum {
  PLIANT_HD T operator()(T a, T b) const { return b < a || (b != b && a == a) ? b : a; }
};
// 1 where a == b or both are NaN, else 0.
template <class T>
struct Same {
  PLIANT_HD T operator()(T a, T b) const { return a == b || (a != a && b != b) ? T(1) : T(0); }
};
// Share of a in the gradient of the maximum (minimum) of a and b: all where it is a's value, be it
// NaN, and half where both have it.
template <class T>
struct ShareOfMaximum {
  PLIANT_HD T operator()(T a, T b) const {
    return Same<T>()(a, b) != T(0) ? T(0.5) : takes_over(a, b) ? T(1) : T(0);
  }
};
template <class T>
struct ShareOfMinimum {
  PLIANT_HD T operator()(T a, T b) const { return ShareOfMaximum<T>()(-a, -b); }
};
// b where the condition a holds (is not 0), or where it does not; elsewhere -0, to which adding
// any number gives that number.
template <class T>
struct KeepIf {
  PLIANT_HD T operator()(T a, T b) const { return a != T(0) ? b : T(-0.0); }
};
template <class T>
struct KeepUnless {
  PLIANT_HD T operator()(T a, T b) const { return a != T(0) ? T(-0.0) : b; }
};

}  // namespace binary_op

using BinaryTable =
    FunctionList<binary_op::Add, binary_op::Sub, binary_op::Mul, binary_op::Div,
                 binary_op::FloorDiv, binary_op::Remainder, binary_op::Pow, binary_op::Gt,
                 binary_op::Ge, binary_op::Lt, binary_op::Le, binary_op::Eq, binary_op::Ne,
                 binary_op::Same, binary_op::Maximum, binary_op::Minimum, binary_op::ShareOfMaximum,
                 binary_op::ShareOfMinimum, binary_op::KeepIf, binary_op::KeepUnless>;

// Those of integers.
using IntegerTable =
    FunctionList<binary_op::Add, binary_op::Sub, binary_op::Mul, binary_op::FloorDiv,
                 binary_op::Remainder, binary_op::Gt, binary_op::Ge, binary_op::Lt, binary_op::Le,
                 binary_op::Eq, binary_op::Ne, binary_op::Maximum, binary_op::Minimum,
                 binary_op::KeepIf, binary_op::KeepUnless>;
template <class T>
using BinaryTableOf = std::conditional_t<std::is_integral_v<T>, IntegerTable, BinaryTable>;

// The output's extents, outermost first, and how far one step along each moves in a and b (in
// elements; 0 where that operand is broadcast). Neighbouring axes that can be walked as one are
// merged, so equal shapes have rank 1.
struct BroadcastGeometry {
  int rank = 0;  // at least 1
  std::int64_t extent[Shape::kMaxRank];
  std::int64_t a_stride[Shape::kMaxRank];
  std::int64_t b_stride[Shape::kMaxRank];

  PLIANT_HD std::int64_t size() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank; ++i) product *= extent[i];
    return product;
  }
};

// The shape of a result of a and b; shapes that do not fit are an Error naming `op`.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);
// a and b must both broadcast to `out`.
BroadcastGeometry broadcast_geometry(const Shape& out, const Shape& a, const Shape& b);

// function: its place in the BinaryTableOf<T>. y may be a or b itself when that one is not broadcast.
template <class T>
using Binary = void(int function, const BroadcastGeometry&, const T* a, const T* b, T* y);
using BinaryKernel = Kernel<Binary<float>, Binary<double>, Binary<BFloat16>, Binary<std::int64_t>>;

namespace cpu {
extern BinaryKernel binary;
}  // namespace cpu

namespace cuda {
extern BinaryKernel binary;
}  // namespace cuda

}  // namespace pliant
