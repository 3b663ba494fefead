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

}  // namespace pliant::cpu
