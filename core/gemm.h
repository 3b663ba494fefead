// The one door to matrix products on the CPU. Row-major; every call here is serial and meant to be
// made from inside a parallel region, on a tile whose extent depends on shapes alone.
#pragma once

#include <cstdint>

namespace pliant::cpu {

enum class Transpose : unsigned char { no, yes };
enum class Accumulate : unsigned char { no, yes };  // whether C is added to or overwritten

// A matrix in memory: element (i, j) of the product's operand is data[i * stride + j], or
// data[j * stride + i] when transposed.
template <class T>
struct MatrixView {
  const T* data;
  std::int64_t stride;
  Transpose transpose = Transpose::no;
};

// C[m, n] (+)= A[m, k] B[k, n]; C has row stride `ldc`.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<float> a, MatrixView<float> b,
          float* c, std::int64_t ldc, Accumulate accumulate = Accumulate::no);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<double> a,
          MatrixView<double> b, double* c, std::int64_t ldc,
          Accumulate accumulate = Accumulate::no);

}  // namespace pliant::cpu
