#include <pliant/core/gemm.h>

#include <algorithm>

#include <pliant/core/eigen.h>

namespace pliant::cpu {
namespace {

template <class T>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b,
              T* c, std::int64_t ldc, Accumulate accumulate) {
  using Strided = Eigen::Map<const RowMajorMatrix<T>, 0, Eigen::OuterStride<>>;
  Eigen::Map<RowMajorMatrix<T>, 0, Eigen::OuterStride<>> out(c, m, n, Eigen::OuterStride<>(ldc));
  const auto view = [](MatrixView<T> v, std::int64_t rows, std::int64_t columns) {
    if (v.transpose == Transpose::yes) std::swap(rows, columns);
    return Strided(v.data, rows, columns, Eigen::OuterStride<>(v.stride));
  };
  if (accumulate == Accumulate::no) out.setZero();
  const Strided left = view(a, m, k), right = view(b, k, n);
  if (a.transpose == Transpose::no && b.transpose == Transpose::no)
    out.noalias() += left * right;
  else if (a.transpose == Transpose::no)
    out.noalias() += left * right.transpose();
  else if (b.transpose == Transpose::no)
    out.noalias() += left.transpose() * right;
  else
    out.noalias() += left.transpose() * right.transpose();
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<float> a, MatrixView<float> b,
          float* c, std::int64_t ldc, Accumulate accumulate) {
  multiply(m, n, k, a, b, c, ldc, accumulate);
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<double> a,
          MatrixView<double> b, double* c, std::int64_t ldc, Accumulate accumulate) {
  multiply(m, n, k, a, b, c, ldc, accumulate);
}

template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  return k * n;
}

template <class T>
PackedMatrix<T> pack(std::int64_t k, std::int64_t n, MatrixView<T> b, T* memory) {
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      memory[i * n + j] =
          b.transpose == Transpose::yes ? b.data[j * b.stride + i] : b.data[i * b.stride + j];
  return {memory, k, n};
}

template <class T>
void gemm(std::int64_t m, const T* a, std::int64_t lda, const PackedMatrix<T>& b, T* c,
          std::int64_t ldc, const T* bias, Accumulate accumulate) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < b.n; ++j) {
      if (accumulate == Accumulate::no) c[i * ldc + j] = T(0);
      if (bias != nullptr) c[i * ldc + j] += bias[j];
    }
  gemm(m, b.n, b.k, MatrixView<T>{a, lda}, MatrixView<T>{b.data, b.n}, c, ldc, Accumulate::yes);
}

template <class T>
void gemm(std::int64_t m, const T* const* rows, const PackedMatrix<T>& b, T* c, std::int64_t ldc,
          const T* bias, Accumulate accumulate) {
  for (std::int64_t i = 0; i < m; ++i) gemm(1, rows[i], b.k, b, c + i * ldc, ldc, bias, accumulate);
}

template <class T>
void gemm_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                     const T* b, std::int64_t ldb, T* c, std::int64_t ldc) {
  gemm(m, n, k, MatrixView<T>{a, lda, Transpose::yes}, MatrixView<T>{b, ldb}, c, ldc,
       Accumulate::yes);
}

template std::int64_t packed_size<float>(std::int64_t, std::int64_t);
template std::int64_t packed_size<double>(std::int64_t, std::int64_t);
template PackedMatrix<float> pack(std::int64_t, std::int64_t, MatrixView<float>, float*);
template PackedMatrix<double> pack(std::int64_t, std::int64_t, MatrixView<double>, double*);
template void gemm(std::int64_t, const float*, std::int64_t, const PackedMatrix<float>&, float*,
                   std::int64_t, const float*, Accumulate);
template void gemm(std::int64_t, const double*, std::int64_t, const PackedMatrix<double>&, double*,
                   std::int64_t, const double*, Accumulate);
template void gemm(std::int64_t, const float* const*, const PackedMatrix<float>&, float*,
                   std::int64_t, const float*, Accumulate);
template void gemm(std::int64_t, const double* const*, const PackedMatrix<double>&, double*,
                   std::int64_t, const double*, Accumulate);
template void gemm_transposed(std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                              const float*, std::int64_t, float*, std::int64_t);
template void gemm_transposed(std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                              const double*, std::int64_t, double*, std::int64_t);

}  // namespace pliant::cpu
