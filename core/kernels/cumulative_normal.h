// The probability that a standard normal variable is below x, and gelu's slope, which is made of it:
// of very negative x they keep their digits. For float on the CPU they have no branches or calls,
// so that a loop over them is compiled into vectors.
#pragma once

#include <cmath>

#include <pliant/core/kernels/exponential.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class T>
PLIANT_HD T normal_density(T x) {
  return T(0.39894228040143267794) * exponential(x * x / -2);
}

// That of -z is exp(-z z / 2) Q(z), and Q(z) (z + 4) a polynomial in (z - 4) / (z + 4): to 1.4e-8
// of Q for z up to 15, where the power has reached 0. As erfc by Shepherd and Laframboise (1981).
// This is Q(-x) below 0 and -Q(x) above it.
PLIANT_HD inline float normal_tail(float x) {
  const float z = std::abs(x) < 15 ? std::abs(x) : 15.0f, t = (z - 4) / (z + 4);
  float p = -1.2555839e-4f;
  p = p * t + 1.8899652e-4f;
  p = p * t + 1.5668817e-3f;
  p = p * t - 3.5209728e-3f;
  p = p * t - 7.5254024e-3f;
  p = p * t + 6.0406186e-2f;
  p = p * t - 1.8652331e-1f;
  p = p * t + 3.8713668e-1f;
  p = p * t - 6.0789659e-1f;
  p = p * t + 7.5528514e-1f;
  const float q = p / (z + 4);
  return x < 0 ? q : -q;
}

PLIANT_HD inline double cumulative_normal(double x) {
  return std::erfc(x * -0.70710678118654752440) / 2;
}
PLIANT_HD inline float cumulative_normal(float x) {
#ifdef __CUDA_ARCH__
  return erfcf(x * -0.70710678f) / 2;
#else
  return (x < 0 ? 0.0f : 1.0f) + scaled_exponential(normal_tail(x), x * x / -2);
#endif
}

PLIANT_HD inline double gelu_slope(double x) {
  return cumulative_normal(x) + x * normal_density(x);
}
PLIANT_HD inline float gelu_slope(float x) {
#ifdef __CUDA_ARCH__
  return cumulative_normal(x) + x * normal_density(x);
#else
  // One power for both: of what two have in common a compiler makes branches.
  const float both = normal_tail(x) + 0.39894228f * x;
  return (x < 0 ? 0.0f : 1.0f) + scaled_exponential(both, x * x / -2);
#endif
}

}  // namespace pliant
