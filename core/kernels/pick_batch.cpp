#include <pliant/core/kernels/pick_batch.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kPicturesPerTask = 16;

template <class T>
void pick(const PickGeometry& g, const std::int64_t* step, const std::int64_t* order,
          const T* images, const std::int64_t* labels, float* picked_images,
          std::int64_t* picked_labels) {
  parallel_blocks(g.count, kPicturesPerTask, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t index = picked(g, order, *step, i);
      picked_labels[i] = labels[index];
      for (std::int64_t at = 0; at < g.pixels(); ++at)
        pick_pixel(g, images, *step, index, at, picked_images + (i * g.pixels() + at) * g.c);
    }
  });
}

}  // namespace

constinit PickBatchKernel cpu::pick_batch{pick, pick};

}  // namespace pliant
