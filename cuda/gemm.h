// Matrix products by cuBLASLt, at the precision of gpu_options().
#pragma once

#include <cstdint>

#include <pliant/core/kernels/matmul.h>

namespace pliant::cuda {

// A batch of row-major matrices: how far rows and matrices lie apart, in elements.
template <class T>
struct Matrices {
  T* data;
  std::int64_t row_stride;
  std::int64_t matrix_stride = 0;
  Transpose transpose = Transpose::no;
};

struct ProductSize {
  std::int64_t m, n, k, batch = 1;
};

enum class Accumulate : unsigned char { no, yes };  // whether a product is added to what y holds

// Vectors [n], one a matrix of y, that are added to each of its rows; data may be null.
template <class T>
struct Bias {
  const T* data = nullptr;
  std::int64_t stride = 0;  // from one matrix's vector to the next one's
};

// y[i] = op(a[i]) op(b[i]) for every matrix of the batch, where op transposes or not: op(a) is
// [m k], op(b) [k n], y [m n] and never transposed. An empty k gives zeros, an empty y nothing.
// y is of the factors' type, or of what that widens to; sums are wide either way.
template <class T, class Y>
void multiply(const char* op, const ProductSize& size, const Matrices<const T>& a,
              const Matrices<const T>& b, const Matrices<Y>& y, Accumulate accumulate);

// The same, overwriting y, with a bias added and an activation applied as each element is written.
template <class T>
void multiply(const char* op, const ProductSize& size, const Matrices<const T>& a,
              const Matrices<const T>& b, const Matrices<T>& y, const Bias<T>& bias,
              Activation activation = Activation::none);

}  // namespace pliant::cuda
