// Element-wise functions of two tensors with NumPy broadcasting: the table of formulas, the
// geometry and the signatures.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/function_list.h>
#include <pliant/core/kernels/takes_over.h>
#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

// Functions of two numbers. Comparisons give 1 or 0; a comparison with NaN is false but for Ne.
namespace binary_op {

template <class T>
struct Add {
  PLIANT_HD T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct Sub {
  PLIANT_HD T operator()(T a, T b) const { return a - b; }
};
template <class T>
struct Mul {
  PLIANT_HD T operator()(T a, T b) const { return a * b; }
};
template <class T>
struct Div {
  PLIANT_HD T operator()(T a, T b) const { return a / b; }
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
  PLIANT_HD T operator()(T a, T b) const { return takes_over(-b, -a) ? b : a; }
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
    FunctionList<binary_op::Add, binary_op::Sub, binary_op::Mul, binary_op::Div, binary_op::Pow,
                 binary_op::Gt, binary_op::Ge, binary_op::Lt, binary_op::Le, binary_op::Eq,
                 binary_op::Ne, binary_op::Same, binary_op::Maximum, binary_op::Minimum,
                 binary_op::ShareOfMaximum, binary_op::ShareOfMinimum, binary_op::KeepIf,
                 binary_op::KeepUnless>;

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

// function: its place in the BinaryTable. y may be a or b itself when that one is not broadcast.
template <class T>
using Binary = void(int function, const BroadcastGeometry&, const T* a, const T* b, T* y);

namespace cpu {
extern FloatingKernel<Binary> binary;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<Binary> binary;
}  // namespace cuda

}  // namespace pliant
