// Every element of an array the same number.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class T>
using Fill = void(std::int64_t n, T value, T* y);

using FillKernel = Kernel<Fill<float>, Fill<double>, Fill<BFloat16>, Fill<std::int64_t>,
                          Fill<std::int32_t>, Fill<std::uint8_t>>;

namespace cpu {
extern FillKernel fill;
}  // namespace cpu

namespace cuda {
extern FillKernel fill;
}  // namespace cuda

}  // namespace pliant
