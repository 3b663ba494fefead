#include <pliant/core/kernels/pick_batch.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void pick(const PickGeometry& g, const PickBatchArgs<T>& args) {
  cuda::each("pick_batch", g.count * g.pixels(), [=] __device__(std::int64_t at) {
    const std::int64_t i = at / g.pixels(), pixel = at % g.pixels();
    const std::int64_t index = picked(g, args.order, *args.step, i);
    if (pixel == 0) args.picked_labels[i] = args.labels[index];
    pick_pixel(g, args.images, *args.step, index, pixel, args.picked_images + at * g.c);
  });
}

}  // namespace

constinit PickBatchKernel cuda::pick_batch{pick, pick};

}  // namespace pliant
