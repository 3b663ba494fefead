#include <pliant/core/kernels/permute.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void permute_axes(const PermuteGeometry& g, const T* x, T* y) {
  cuda::each("permute", g.size(),
             [=] __device__(std::int64_t at) { y[at] = x[permute_source(g, at)]; });
}

}  // namespace

constinit AnyKernel<Permute> cuda::permute{permute_axes, permute_axes, permute_axes,
                                           permute_axes, permute_axes, permute_axes};

}  // namespace pliant
