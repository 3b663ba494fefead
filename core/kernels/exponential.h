// exp() and log1p() as the kernels use them. For float on the CPU they are polynomials without
// branches or calls, so that a loop over them is compiled into vectors: exp() to 1.01 units in the
// last place, subnormal results included.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include <pliant/core/portable.h>

namespace pliant {

// a exp(x) for |a| <= max(1, |x|). Where exp(x) itself is subnormal and has lost digits, the
// product has not: it is rounded last.
PLIANT_HD inline double scaled_exponential(double a, double x) {
  constexpr double kSmallest = -708;  // of a normal number
  if (x >= kSmallest) return a * std::exp(x);
  const double half = std::exp(x / 2);
  return a * half * half;
}

// x = n ln 2 + r, |r| <= ln 2 / 2, exp(x) = 2^n exp(r). The polynomial is that of Cephes' expf.
PLIANT_HD inline float scaled_exponential(float a, float x) {
#ifdef __CUDA_ARCH__
  constexpr float kSmallest = -87;  // of a normal number
  const float half = expf(x / 2);
  return x < kSmallest ? a * half * half : a * expf(x);
#else
  constexpr float kRounds = 0x1.8p23f;  // added, it leaves the nearest integer in the last bits
  constexpr float kLargest = 88.722839f, kSmallest = -110;  // 110 exp(-110) rounds to 0
  const float safe = x < kSmallest ? 0.0f : x > kLargest ? kLargest : x;
  const float shifted = safe * 1.44269504f + kRounds, n = shifted - kRounds;
  const float r = (safe - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // 2^n by two factors: n is -159 to 128, which no single one can be. Of a subnormal result only
  // the last product is rounded to its digits.
  const std::int32_t whole = std::bit_cast<std::int32_t>(shifted) -
                             std::bit_cast<std::int32_t>(kRounds),
                     half = whole >> 1;
  const float y = a * p * std::bit_cast<float>((half + 127) << 23) *
                  std::bit_cast<float>((whole - half + 127) << 23);
  return x > kLargest ? a * HUGE_VALF : x < kSmallest ? a * 0.0f : y;
#endif
}

PLIANT_HD inline double exponential(double x) { return std::exp(x); }
PLIANT_HD inline float exponential(float x) {
#ifdef __CUDA_ARCH__
  return expf(x);
#else
  return scaled_exponential(1.0f, x);
#endif
}

// log(1 + e) for e in [0, 1], which powers of what is not positive are.
PLIANT_HD inline double log1p_of_power(double e) { return std::log1p(e); }
// = 2 atanh(s), s = e / (2 + e), written so that a small e is kept; to 1.3 units.
PLIANT_HD inline float log1p_of_power(float e) {
#ifdef __CUDA_ARCH__
  return log1pf(e);
#else
  const float s = e / (2 + e), z = s * s;
  float p = 2.3224329e-1f;
  p = p * z + 2.1706576e-1f;
  p = p * z + 2.8592358e-1f;
  p = p * z + 3.9999706e-1f;
  p = p * z + 6.6666667e-1f;
  return e - s * (e - z * p);
#endif
}

}  // namespace pliant
