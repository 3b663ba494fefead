// From one element type to another, element by element: rounded to nearest, or cut to a whole
// number.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class From, class To>
using Convert = void(std::int64_t n, const From* x, To* y);

// By way of float32: a float64 that becomes a bfloat16 is rounded twice.
// What an integer cannot hold becomes the nearest that it can, and NaN 0.
template <class To, class From>
PLIANT_HD To converted(From x) {
  const auto wide = static_cast<Wide<From>>(x);
  if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    constexpr auto kEnd = static_cast<Wide<From>>(0x1p63);
    if (!(wide > -kEnd)) return wide == wide ? std::numeric_limits<To>::lowest() : To(0);
    return wide < kEnd ? static_cast<To>(wide) : std::numeric_limits<To>::max();
  } else {
    return static_cast<To>(static_cast<Wide<To>>(wide));
  }
}

// sum += x, of terms that are many.
template <class T>
using AddWide = void(std::int64_t n, const T* x, double* sum);
using AddWideKernel = Kernel<AddWide<float>, AddWide<BFloat16>>;

using ConvertKernel =
    Kernel<Convert<float, BFloat16>, Convert<float, double>, Convert<double, float>,
           Convert<double, BFloat16>, Convert<BFloat16, float>, Convert<BFloat16, double>,
           Convert<float, std::int64_t>, Convert<double, std::int64_t>,
           Convert<std::int64_t, float>, Convert<std::int64_t, double>,
           Convert<std::int32_t, std::int64_t>, Convert<std::uint8_t, std::int64_t>,
           Convert<std::uint8_t, float>>;

namespace cpu {
extern ConvertKernel convert;
extern AddWideKernel add_wide;
}  // namespace cpu

namespace cuda {
extern ConvertKernel convert;
extern AddWideKernel add_wide;
}  // namespace cuda

}  // namespace pliant
