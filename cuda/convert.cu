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

constinit ConvertKernel cuda::convert{
    convert_all, convert_all, convert_all, convert_all, convert_all, convert_all, convert_all,
    convert_all, convert_all, convert_all, convert_all, convert_all, convert_all};
constinit AddWideKernel cuda::add_wide{add_all, add_all};

}  // namespace pliant
