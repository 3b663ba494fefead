#include <pliant/core/kernels/fill.h>

#include <algorithm>

namespace pliant {

void cpu::fill(std::int64_t n, float value, float* y) { std::fill_n(y, n, value); }
void cpu::fill(std::int64_t n, double value, double* y) { std::fill_n(y, n, value); }
void cpu::fill(std::int64_t n, BFloat16 value, BFloat16* y) { std::fill_n(y, n, value); }
void cpu::fill(std::int64_t n, std::int64_t value, std::int64_t* y) { std::fill_n(y, n, value); }
void cpu::fill(std::int64_t n, std::int32_t value, std::int32_t* y) { std::fill_n(y, n, value); }
void cpu::fill(std::int64_t n, std::uint8_t value, std::uint8_t* y) { std::fill_n(y, n, value); }

}  // namespace pliant
