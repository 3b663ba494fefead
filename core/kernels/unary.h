// Element-wise functions of one tensor: the table of formulas and the signatures.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/cumulative_normal.h>
#include <pliant/core/kernels/exponential.h>
#include <pliant/core/kernels/function_list.h>
#include <pliant/core/portable.h>

namespace pliant {

// What a derivative is worked out from: the argument x or the result y.
enum class SlopeOf : unsigned char { x, y };

// Each function of the table has value(x), slope(s) = dy/dx with s the x or y that kSlopeOf names,
// and up to two numbers as members. A new one is its struct and its name in the UnaryTable.
namespace unary {

struct OfArgument {
  static constexpr SlopeOf kSlopeOf = SlopeOf::x;
};
struct OfResult {
  static constexpr SlopeOf kSlopeOf = SlopeOf::y;
};

template <class T>
struct Relu : OfResult {  // keeps NaN
  PLIANT_HD T value(T x) const { return x < T(0) ? T(0) : x; }
  PLIANT_HD T slope(T y) const { return y <= T(0) ? T(0) : T(1); }
};
template <class T>
struct LeakyRelu : OfArgument {
  T negative_slope;
  PLIANT_HD T value(T x) const { return x > T(0) ? x : x * negative_slope; }
  PLIANT_HD T slope(T x) const { return x > T(0) ? T(1) : negative_slope; }
};
template <class T>
struct Sigmoid : OfResult {  // by a power that does not overflow: small results keep their digits
  PLIANT_HD T value(T x) const {
    const T e = exponential(-std::abs(x));
    return (x < T(0) ? e : T(1)) / (T(1) + e);
  }
  PLIANT_HD T slope(T y) const { return y * (T(1) - y); }
};
template <class T>
struct Tanh : OfResult {
  PLIANT_HD T value(T x) const { return std::tanh(x); }
  PLIANT_HD T slope(T y) const { return (T(1) - y) * (T(1) + y); }
};
template <class T>
struct Silu : OfArgument {  // x gate(x), rounded last where the gate is subnormal
  PLIANT_HD T value(T x) const {
    const T below = -std::abs(x);
    const T e = exponential(below), product = scaled_exponential(x, below);  // a choice, no branch
    return (x < T(0) ? product : x) / (T(1) + e);
  }
  PLIANT_HD T slope(T x) const {
    const T below = -std::abs(x), e = exponential(below), whole = T(1) + e;
    const T product = scaled_exponential(whole + x, below);
    return (x < T(0) ? product : whole + x * e) / (whole * whole);
  }
};
template <class T>
struct Gelu : OfArgument {
  PLIANT_HD T value(T x) const { return x * cumulative_normal(x); }
  PLIANT_HD T slope(T x) const { return gelu_slope(x); }
};
template <class T>
struct NormalCdf : OfArgument {  // the probability that a standard normal variable is below x
  PLIANT_HD T value(T x) const { return cumulative_normal(x); }
  PLIANT_HD T slope(T x) const { return normal_density(x); }
};
template <class T>
struct GeluTanh : OfArgument {  // gelu by a tanh, 1/2 x (1 + tanh(u)), written with u's sigmoid
  PLIANT_HD T value(T x) const { return x * Sigmoid<T>().value(2 * inner(x)); }
  PLIANT_HD T slope(T x) const {
    if (std::abs(x) > T(30)) return x > T(0) ? T(1) : T(0);  // before x * x overflows
    const T s = Sigmoid<T>().value(2 * inner(x));
    return s + 2 * x * s * (T(1) - s) * (kScale + 3 * kScale * kCube * x * x);
  }
  static constexpr T kScale = T(0.79788456080286535588), kCube = T(0.044715);  // sqrt(2 / pi)
  PLIANT_HD static T inner(T x) { return kScale * (x + kCube * x * x * x); }
};
template <class T>
struct Softplus : OfArgument {
  PLIANT_HD T value(T x) const {
    return Relu<T>().value(x) + log1p_of_power(exponential(-std::abs(x)));
  }
  PLIANT_HD T slope(T x) const { return Sigmoid<T>().value(x); }
};
template <class T>
struct Mish
    : OfArgument {  // x tanh(softplus(x)); tanh(log(w)) = (w^2 - 1) / (w^2 + 1), w = 1 + e^x
  PLIANT_HD T value(T x) const { return x * gate(x); }
  PLIANT_HD T slope(T x) const {
    const T g = gate(x);
    return g + x * (T(1) - g) * (T(1) + g) * Sigmoid<T>().value(x);
  }
  PLIANT_HD static T gate(T x) {
    const T e = exponential(-std::abs(x));
    const T n = x < T(0) ? e * (e + T(2)) : T(1) + 2 * e;
    return n / (n + (x < T(0) ? T(2) : 2 * e * e));
  }
};
template <class T>
struct Hardswish : OfArgument {  // x min(max(x + 3, 0), 6) / 6; both bounds belong to the outside
  PLIANT_HD T value(T x) const { return x <= T(-3) ? T(0) : x >= T(3) ? x : x * (x + T(3)) / 6; }
  PLIANT_HD T slope(T x) const { return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : (x + x + T(3)) / 6; }
};
template <class T>
struct Exp : OfResult {
  PLIANT_HD T value(T x) const { return exponential(x); }
  PLIANT_HD T slope(T y) const { return y; }
};
template <class T>
struct Log : OfArgument {
  PLIANT_HD T value(T x) const { return std::log(x); }
  PLIANT_HD T slope(T x) const { return T(1) / x; }
};
template <class T>
struct Log1p : OfArgument {
  PLIANT_HD T value(T x) const { return std::log1p(x); }
  PLIANT_HD T slope(T x) const { return T(1) / (T(1) + x); }
};
template <class T>
struct Expm1 : OfResult {
  PLIANT_HD T value(T x) const { return std::expm1(x); }
  PLIANT_HD T slope(T y) const { return y + T(1); }
};
template <class T>
struct Sin : OfArgument {
  PLIANT_HD T value(T x) const { return std::sin(x); }
  PLIANT_HD T slope(T x) const { return std::cos(x); }
};
template <class T>
struct Cos : OfArgument {
  PLIANT_HD T value(T x) const { return std::cos(x); }
  PLIANT_HD T slope(T x) const { return -std::sin(x); }
};
template <class T>
struct Erf : OfArgument {
  PLIANT_HD T value(T x) const { return std::erf(x); }
  PLIANT_HD T slope(T x) const { return T(1.12837916709551257390) * exponential(-x * x); }
};
template <class T>
struct Floor : OfArgument {  // of this and the next three the slope is 0, also where they jump
  PLIANT_HD T value(T x) const { return std::floor(x); }
  PLIANT_HD T slope(T) const { return T(0); }
};
template <class T>
struct Ceil : OfArgument {
  PLIANT_HD T value(T x) const { return std::ceil(x); }
  PLIANT_HD T slope(T) const { return T(0); }
};
template <class T>
struct Round : OfArgument {  // halves to the even number
  PLIANT_HD T value(T x) const { return std::rint(x); }
  PLIANT_HD T slope(T) const { return T(0); }
};
template <class T>
struct Sign : OfArgument {  // keeps NaN
  PLIANT_HD T value(T x) const { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x; }
  PLIANT_HD T slope(T) const { return T(0); }
};
template <class T>
struct Sqrt : OfResult {
  PLIANT_HD T value(T x) const { return std::sqrt(x); }
  PLIANT_HD T slope(T y) const { return T(0.5) / y; }
};
template <class T>
struct Rsqrt : OfResult {
  PLIANT_HD T value(T x) const { return T(1) / std::sqrt(x); }
  PLIANT_HD T slope(T y) const { return T(-0.5) * y * y * y; }
};
template <class T>
struct Square : OfArgument {
  PLIANT_HD T value(T x) const { return x * x; }
  PLIANT_HD T slope(T x) const { return x + x; }
};
template <class T>
struct Pow : OfArgument {  // of exponent 0 the slope is 0 everywhere
  T exponent;
  PLIANT_HD T value(T x) const { return std::pow(x, exponent); }
  PLIANT_HD T slope(T x) const {
    return exponent == T(0) ? T(0) : exponent * std::pow(x, exponent - T(1));
  }
};
template <class T>
struct Abs : OfArgument {
  PLIANT_HD T value(T x) const { return std::abs(x); }
  PLIANT_HD T slope(T x) const { return x > T(0) ? T(1) : x < T(0) ? T(-1) : T(0); }
};
template <class T>
struct Clamp : OfArgument {  // keeps NaN; the bounds belong to the outside
  T low, high;
  PLIANT_HD T value(T x) const { return x < low ? low : x > high ? high : x; }
  PLIANT_HD T slope(T x) const { return x > low && x < high ? T(1) : T(0); }
};
template <class T>
struct Huber : OfArgument {  // x^2 / (2 beta) inside (-beta, beta), |x| - beta / 2 outside
  T beta;
  PLIANT_HD T value(T x) const { return inside(x) ? x / beta * x / 2 : std::abs(x) - beta / 2; }
  PLIANT_HD T slope(T x) const { return inside(x) ? x / beta : Abs<T>().slope(x); }
  PLIANT_HD bool inside(T x) const { return beta > T(0) && !(std::abs(x) >= beta); }  // NaN is
};

}  // namespace unary

using UnaryTable =
    FunctionList<unary::Relu, unary::LeakyRelu, unary::Sigmoid, unary::Tanh, unary::Silu,
                 unary::Gelu, unary::GeluTanh, unary::NormalCdf, unary::Softplus, unary::Mish,
                 unary::Hardswish, unary::Exp, unary::Log, unary::Log1p, unary::Expm1, unary::Sin,
                 unary::Cos, unary::Erf, unary::Floor, unary::Ceil, unary::Round, unary::Sign,
                 unary::Sqrt, unary::Rsqrt, unary::Square, unary::Pow, unary::Abs, unary::Clamp,
                 unary::Huber>;

// A function of the table with its numbers, as kernels are told of it.
struct UnaryCall {
  int function;
  double first = 0, second = 0;
};
template <template <class> class F>
UnaryCall unary_call(double first = 0, double second = 0) {
  return {UnaryTable::place_of<F>(), first, second};
}

// Calls visitor(f) with the function itself, for elements of type T.
template <class T, class Visitor>
void visit_unary(const UnaryCall& call, Visitor&& visitor) {
  const T first = static_cast<T>(call.first), second = static_cast<T>(call.second);
  UnaryTable::visit<T>(call.function, [&]<class F>() {
    if constexpr (std::is_empty_v<F>)
      visitor(F{});
    else if constexpr (requires { F{{}, first, second}; })
      visitor(F{{}, first, second});
    else
      visitor(F{{}, first});
  });
}

// y may be x itself.
template <class T>
using UnaryForward = void(const UnaryCall&, std::int64_t n, const T* x, T* y);
// s: x or y, as the function's kSlopeOf says. dx = dy * slope(s); it may be dy itself.
template <class T>
using UnaryGradient = void(const UnaryCall&, std::int64_t n, const T* s, const T* dy, T* dx);

namespace cpu {
extern FloatingKernel<UnaryForward> unary_forward;
extern FloatingKernel<UnaryGradient> unary_gradient;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<UnaryForward> unary_forward;
extern FloatingKernel<UnaryGradient> unary_gradient;
}  // namespace cuda

}  // namespace pliant
