// bfloat16: the upper half of a float32. Tensors are stored so; whatever computes with one widens
// it first and rounds once at the end.
#pragma once

#include <bit>
#include <cstdint>

#include <pliant/core/portable.h>

namespace pliant {

struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  // To nearest, ties to even; NaN stays NaN.
  PLIANT_HD explicit BFloat16(float x) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
    const auto whole = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = whole + 0x7FFFU + (whole >> 16U & 1U);
    bits = static_cast<std::uint16_t>((x != x ? whole | 0x400000U : rounded) >> 16U);
#endif
  }
  PLIANT_HD operator float() const {  // NOLINT(google-explicit-constructor): nothing is lost
    return std::bit_cast<float>(std::uint32_t{bits} << 16U);
  }
};

// What is computed in where elements are stored as T.
template <class T>
struct WideOf {
  using Type = T;
};
template <>
struct WideOf<BFloat16> {
  using Type = float;
};
template <class T>
using Wide = typename WideOf<T>::Type;

}  // namespace pliant
