#include <pliant/core/kernels/binary.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class F, class T>
void each_pair(F f, const BroadcastGeometry& g, const T* a, const T* b, T* y) {
  cuda::each("binary", g.size(), [=] __device__(std::int64_t i) {
    std::int64_t rest = i, at_a = 0, at_b = 0;
    for (int axis = g.rank - 1; axis >= 0; --axis) {
      const std::int64_t index = rest % g.extent[axis];
      rest /= g.extent[axis];
      at_a += index * g.a_stride[axis];
      at_b += index * g.b_stride[axis];
    }
    y[i] = T(f(Wide<T>(a[at_a]), Wide<T>(b[at_b])));
  });
}

template <class T>
void binary_of(int function, const BroadcastGeometry& g, const T* a, const T* b, T* y) {
  BinaryTableOf<T>::template visit<Wide<T>>(function,
                                            [&]<class F>() { each_pair(F{}, g, a, b, y); });
}

}  // namespace

constinit BinaryKernel cuda::binary{binary_of, binary_of, binary_of, binary_of};

}  // namespace pliant
