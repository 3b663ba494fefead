#include <pliant/core/kernels/fill.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "fill";

template <class T>
void fill_all(std::int64_t n, T value, T* y) {
  cuda::each(kOp, n, [=] __device__(std::int64_t i) { y[i] = value; });
}

}  // namespace

void cuda::fill(std::int64_t n, float value, float* y) { fill_all(n, value, y); }
void cuda::fill(std::int64_t n, double value, double* y) { fill_all(n, value, y); }
void cuda::fill(std::int64_t n, BFloat16 value, BFloat16* y) { fill_all(n, value, y); }
void cuda::fill(std::int64_t n, std::int64_t value, std::int64_t* y) { fill_all(n, value, y); }
void cuda::fill(std::int64_t n, std::int32_t value, std::int32_t* y) { fill_all(n, value, y); }
void cuda::fill(std::int64_t n, std::uint8_t value, std::uint8_t* y) {
  if (value == 0) return set_to_zero(kOp, y, n);
  fill_all(n, value, y);
}

}  // namespace pliant
