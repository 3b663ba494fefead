// The one door to matrix products on the CPU. Row-major; every call here but pack() is serial and
// meant to be made from inside a parallel region, on a tile that cuts no sum but by shapes alone.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/matmul.h>

namespace pliant::cpu {

using pliant::Transpose;
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

// The functions below exist for T = float and double.

// A right operand B[k, n] in the order in which the kernels read it: panels of kPanelVectors
// vectors of columns, each [k, width], the last one narrower and filled up with zeros to whole
// vectors. Does not own its memory.
template <class T>
struct PackedMatrix {
  const T* data;
  std::int64_t k, n;
};

// Elements of memory that pack() fills for a B[k, n].
template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n);

// Packs B[k, n] into `memory` (packed_size elements, aligned to kAlignment), in parallel.
template <class T>
PackedMatrix<T> pack(std::int64_t k, std::int64_t n, MatrixView<T> b, T* memory);

// C[m, n] (+)= A[m, k] B (+ bias): serial. Row i of A starts at a + i * lda (at rows[i]); bias [n]
// may be null. An element's bits do not depend on m nor on its place in the tile.
template <class T>
void gemm(std::int64_t m, const T* a, std::int64_t lda, const PackedMatrix<T>& b, T* c,
          std::int64_t ldc, const T* bias = nullptr, Accumulate accumulate = Accumulate::no);
template <class T>
void gemm(std::int64_t m, const T* const* rows, const PackedMatrix<T>& b, T* c, std::int64_t ldc,
          const T* bias = nullptr, Accumulate accumulate = Accumulate::no);

// C[m, n] += A^T B, where A is [k, m] and B [k, n], both read in place: serial. The product that
// sums a weight gradient over the k locations of a tile; k of 64 to 256 is best, so that the tile
// stays in cache.
template <class T>
void gemm_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                     const T* b, std::int64_t ldb, T* c, std::int64_t ldc);

}  // namespace pliant::cpu
