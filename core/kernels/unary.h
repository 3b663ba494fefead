// Element-wise functions of one tensor. Derivatives are written in terms of the result y.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/portable.h>

namespace pliant {

enum class UnaryOp : unsigned char { relu, sigmoid };

template <class T>
PLIANT_HD T apply(UnaryOp op, T x) {
  switch (op) {
    case UnaryOp::relu:
      return x < T(0) ? T(0) : x;  // keeps NaN
    case UnaryOp::sigmoid:
      return T(1) / (T(1) + std::exp(-x));
  }
  return x;
}

// dy/dx, given y.
template <class T>
PLIANT_HD T derivative(UnaryOp op, T y) {
  switch (op) {
    case UnaryOp::relu:
      return y > T(0) ? T(1) : T(0);
    case UnaryOp::sigmoid:
      return y * (T(1) - y);
  }
  return T(0);
}

template <class T>
using UnaryForward = void(UnaryOp, std::int64_t n, const T* x, T* y);
template <class T>
using UnaryGradient = void(UnaryOp, std::int64_t n, const T* y, const T* dy, T* dx);

namespace cpu {
UnaryForward<float> unary_forward;
UnaryForward<double> unary_forward;
UnaryGradient<float> unary_gradient;
UnaryGradient<double> unary_gradient;
}  // namespace cpu

namespace cuda {
UnaryForward<float> unary_forward;
UnaryForward<double> unary_forward;
UnaryGradient<float> unary_gradient;
UnaryGradient<double> unary_gradient;
}  // namespace cuda

}  // namespace pliant
