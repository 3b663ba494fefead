// Every element of an array the same number.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/portable.h>

namespace pliant {

template <class T>
using Fill = void(std::int64_t n, T value, T* y);

namespace cpu {
Fill<float> fill;
Fill<double> fill;
Fill<BFloat16> fill;
Fill<std::int64_t> fill;
Fill<std::int32_t> fill;
Fill<std::uint8_t> fill;
}  // namespace cpu

namespace cuda {
Fill<float> fill;
Fill<double> fill;
Fill<BFloat16> fill;
Fill<std::int64_t> fill;
Fill<std::int32_t> fill;
Fill<std::uint8_t> fill;
}  // namespace cuda

}  // namespace pliant
