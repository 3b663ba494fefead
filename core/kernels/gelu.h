// GELU (Hendrycks and Gimpel 2016), the exact form: y = x * P(x), P the normal distribution.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/portable.h>

namespace pliant {

// P(x), by erfc: of very negative x it keeps its digits.
template <class T>
PLIANT_HD T normal_probability(T x) {
  return std::erfc(x * T(-0.70710678118654752440)) / 2;
}

template <class T>
PLIANT_HD T gelu_value(T x) {
  return x * normal_probability(x);
}

template <class T>
PLIANT_HD T gelu_derivative(T x) {
  const T density = T(0.39894228040143267794) * std::exp(x * x / -2);
  return normal_probability(x) + x * density;
}

template <class T>
using GeluForward = void(std::int64_t n, const T* x, T* y);
template <class T>
using GeluGradient = void(std::int64_t n, const T* x, const T* dy, T* dx);

namespace cpu {
GeluForward<float> gelu_forward;
GeluForward<double> gelu_forward;
GeluGradient<float> gelu_gradient;
GeluGradient<double> gelu_gradient;
}  // namespace cpu

namespace cuda {
GeluForward<float> gelu_forward;
GeluForward<double> gelu_forward;
GeluGradient<float> gelu_gradient;
GeluGradient<double> gelu_gradient;
}  // namespace cuda

}  // namespace pliant
