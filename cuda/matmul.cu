#include <pliant/core/kernels/matmul.h>

#include <pliant/cuda/gemm.h>

namespace pliant {
namespace {

template <class T>
void product(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y, Workspace&) {
  using namespace cuda;
  const bool flip_a = g.transpose_a == Transpose::yes, flip_b = g.transpose_b == Transpose::yes;
  const auto step = [](Sharing sharing, std::int64_t size) {
    return sharing == Sharing::shared ? 0 : size;
  };
  const Matrices<const T> left{a, flip_a ? g.m : g.k, step(g.a, g.m * g.k), g.transpose_a};
  const Matrices<const T> right{b, flip_b ? g.k : g.n, step(g.b, g.k * g.n), g.transpose_b};
  multiply("matmul", ProductSize{g.m, g.n, g.k, g.batch}, left, right,
           Matrices<T>{y, g.n, g.m * g.n}, Bias<T>{bias}, g.activation);
}

}  // namespace

constinit FloatingKernel<Matmul> cuda::matmul{product, product, product};

}  // namespace pliant
