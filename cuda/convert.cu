#include <pliant/core/kernels/convert.h>

#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant {
namespace {

using namespace cuda;

template <int kCount, class From, class To>
void convert_vectors(std::int64_t n, const From* x, To* y) {
  each("convert", n / kCount, [=] __device__(std::int64_t i) {
    const auto from = *reinterpret_cast<const Vector<From, kCount>*>(x + i * kCount);
    Vector<To, kCount> to;
    for (int j = 0; j < kCount; ++j) to.value[j] = converted<To>(from.value[j]);
    *reinterpret_cast<Vector<To, kCount>*>(y + i * kCount) = to;
  });
}

template <class From, class To>
void convert_all(std::int64_t n, const From* x, To* y) {
  if (are_vectors<To>(n, x, y) && are_vectors<From>(n))
    convert_vectors<kVector<From>>(n, x, y);
  else
    convert_vectors<1>(n, x, y);
}

template <class T>
void add_all(std::int64_t n, const T* x, double* sum) {
  each("add_wide", n, [=] __device__(std::int64_t i) { sum[i] += converted<double>(x[i]); });
}

}  // namespace

void cuda::convert(std::int64_t n, const float* x, BFloat16* y) { convert_all(n, x, y); }
void cuda::convert(std::int64_t n, const float* x, double* y) { convert_all(n, x, y); }
void cuda::convert(std::int64_t n, const double* x, float* y) { convert_all(n, x, y); }
void cuda::convert(std::int64_t n, const double* x, BFloat16* y) { convert_all(n, x, y); }
void cuda::convert(std::int64_t n, const BFloat16* x, float* y) { convert_all(n, x, y); }
void cuda::convert(std::int64_t n, const BFloat16* x, double* y) { convert_all(n, x, y); }
void cuda::add_wide(std::int64_t n, const float* x, double* sum) { add_all(n, x, sum); }
void cuda::add_wide(std::int64_t n, const BFloat16* x, double* sum) { add_all(n, x, sum); }

}  // namespace pliant
