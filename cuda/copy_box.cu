#include <pliant/core/kernels/copy_box.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void copy(const CopyBoxGeometry& g, const T* x, T* y) {
  cuda::each("copy_box", g.size(), [=] __device__(std::int64_t at) {
    const CopyBoxPlace place = copy_box_place(g, g.rank, at);
    y[g.y_start + place.y] = x[g.x_start + place.x];
  });
}

}  // namespace

constinit AnyKernel<CopyBox> cuda::copy_box{copy, copy, copy, copy, copy, copy};

}  // namespace pliant
