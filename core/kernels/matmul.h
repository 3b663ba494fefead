// Matrix product, batched: geometry and signatures. Serves matmul, linear and their gradients.
//
//   y[b] = activation(op(a[b]) op(b[b]) + bias)        for every matrix b of the batch
//
// where op transposes or not. Linear is transpose_b (weight [n k]) with a bias; its weight gradient
// dW = dY^T X is transpose_a.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

enum class Transpose : unsigned char { no, yes };
enum class Sharing : unsigned char { per_batch, shared };
enum class Activation : unsigned char { none, relu };

struct MatmulGeometry {
  std::int64_t batch = 1;
  std::int64_t m, n, k;                   // y [batch m n]; k is the summed axis
  Transpose transpose_a = Transpose::no;  // a is [batch m k], or [batch k m] when transposed
  Transpose transpose_b = Transpose::no;  // b is [batch k n], or [batch n k] when transposed
  Sharing a = Sharing::per_batch;         // shared: a has no batch axis
  Sharing b = Sharing::per_batch;         // shared: b has no batch axis
  Activation activation = Activation::none;
};

// bias [n] may be null. An empty k gives zeros (plus bias).
template <class T>
using Matmul = void(const MatmulGeometry&, const T* a, const T* b, const T* bias, T* y, Workspace&);

namespace cpu {
extern FloatingKernel<Matmul> matmul;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<Matmul> matmul;
}  // namespace cuda

}  // namespace pliant
