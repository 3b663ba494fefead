// Every element of an array the same number.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class T>
using Fill = void(std::int64_t n, T value, T* y);

namespace cpu {
extern AnyKernel<Fill> fill;
}  // namespace cpu

namespace cuda {
extern AnyKernel<Fill> fill;
}  // namespace cuda

}  // namespace pliant
