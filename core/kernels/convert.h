// From one floating element type to another, element by element, rounded to nearest.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class From, class To>
using Convert = void(std::int64_t n, const From* x, To* y);

// By way of float32: a float64 that becomes a bfloat16 is rounded twice.
template <class To, class From>
PLIANT_HD To converted(From x) {
  return static_cast<To>(static_cast<Wide<To>>(static_cast<Wide<From>>(x)));
}

// sum += x, of terms that are many.
template <class T>
using AddWide = void(std::int64_t n, const T* x, double* sum);
using AddWideKernel = Kernel<AddWide<float>, AddWide<BFloat16>>;

using ConvertKernel =
    Kernel<Convert<float, BFloat16>, Convert<float, double>, Convert<double, float>,
           Convert<double, BFloat16>, Convert<BFloat16, float>, Convert<BFloat16, double>>;

namespace cpu {
extern ConvertKernel convert;
extern AddWideKernel add_wide;
}  // namespace cpu

namespace cuda {
extern ConvertKernel convert;
extern AddWideKernel add_wide;
}  // namespace cuda

}  // namespace pliant
