#include <pliant/core/kernels/binary.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void each_pair(BinaryOp op, const BroadcastGeometry& g, const T* a, const T* b, T* y) {
  cuda::each("binary", g.size(), [=] __device__(std::int64_t i) {
    std::int64_t rest = i, at_a = 0, at_b = 0;
    for (int axis = g.rank - 1; axis >= 0; --axis) {
      const std::int64_t index = rest % g.extent[axis];
      rest /= g.extent[axis];
      at_a += index * g.a_stride[axis];
      at_b += index * g.b_stride[axis];
    }
    y[i] = apply(op, a[at_a], b[at_b]);
  });
}

}  // namespace

void cuda::binary(BinaryOp op, const BroadcastGeometry& g, const float* a, const float* b,
                  float* y) {
  each_pair(op, g, a, b, y);
}

void cuda::binary(BinaryOp op, const BroadcastGeometry& g, const double* a, const double* b,
                  double* y) {
  each_pair(op, g, a, b, y);
}

}  // namespace pliant
