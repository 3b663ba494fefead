#include <pliant/core/kernels/convert.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task

template <class From, class To>
void convert_all(std::int64_t n, const From* x, To* y) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = converted<To>(x[i]);
  });
}

template <class T>
void add_all(std::int64_t n, const T* x, double* sum) {
  parallel_blocks(n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum[i] += converted<double>(x[i]);
  });
}

}  // namespace

void cpu::convert(std::int64_t n, const float* x, BFloat16* y) { convert_all(n, x, y); }
void cpu::convert(std::int64_t n, const float* x, double* y) { convert_all(n, x, y); }
void cpu::convert(std::int64_t n, const double* x, float* y) { convert_all(n, x, y); }
void cpu::convert(std::int64_t n, const double* x, BFloat16* y) { convert_all(n, x, y); }
void cpu::convert(std::int64_t n, const BFloat16* x, float* y) { convert_all(n, x, y); }
void cpu::convert(std::int64_t n, const BFloat16* x, double* y) { convert_all(n, x, y); }
void cpu::add_wide(std::int64_t n, const float* x, double* sum) { add_all(n, x, sum); }
void cpu::add_wide(std::int64_t n, const BFloat16* x, double* sum) { add_all(n, x, sum); }

}  // namespace pliant
