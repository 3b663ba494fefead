// Tensors seen as Eigen matrices, and back.
#pragma once

#include <Eigen/Core>

#include <pliant/core/tensor.h>

namespace pliant {

template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The last axis as columns, all others as rows; shares the elements, so the tensor must outlive it.
template <class T>
Eigen::Map<const RowMajorMatrix<T>> as_matrix(const Tensor& tensor) {
  const std::int64_t columns = tensor.rank() == 0 ? 1 : tensor.shape().back();
  return {tensor.span<T>().data(), columns == 0 ? 0 : tensor.size() / columns, columns};
}

template <class T>
Eigen::Map<RowMajorMatrix<T>> as_mutable_matrix(Tensor& tensor) {
  const std::int64_t columns = tensor.rank() == 0 ? 1 : tensor.shape().back();
  return {tensor.mutable_span<T>().data(), columns == 0 ? 0 : tensor.size() / columns, columns};
}

// A copy of any dense Eigen expression as a tensor [rows cols].
template <class Derived>
Tensor from_eigen(const Eigen::DenseBase<Derived>& expression) {
  using T = typename Derived::Scalar;
  Tensor tensor = Tensor::empty({expression.rows(), expression.cols()}, dtype_of<T>);
  as_mutable_matrix<T>(tensor) = expression.derived();
  return tensor;
}

}  // namespace pliant
