#include <pliant/core/kernels/pick_batch.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void pick(const PickGeometry& g, const std::int64_t* step, const std::int64_t* order,
          const T* images, const std::int64_t* labels, float* picked_images,
          std::int64_t* picked_labels) {
  cuda::each("pick_batch", g.count * g.pixels(), [=] __device__(std::int64_t at) {
    const std::int64_t i = at / g.pixels(), pixel = at % g.pixels();
    const std::int64_t index = picked(g, order, *step, i);
    if (pixel == 0) picked_labels[i] = labels[index];
    pick_pixel(g, images, *step, index, pixel, picked_images + at * g.c);
  });
}

}  // namespace

constinit PickBatchKernel cuda::pick_batch{pick, pick};

}  // namespace pliant
