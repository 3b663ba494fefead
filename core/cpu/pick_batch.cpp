#include <pliant/core/kernels/pick_batch.h>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kImagesPerTask = 16;

template <class T>
void pick(const PickGeometry& g, const PickBatchArgs<T>& args) {
  parallel_blocks(g.count, kImagesPerTask, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t index = picked(g, args.order, *args.step, i);
      args.picked_labels[i] = args.labels[index];
      for (std::int64_t at = 0; at < g.pixels(); ++at)
        pick_pixel(g, args.images, *args.step, index, at,
                   args.picked_images + (i * g.pixels() + at) * g.c);
    }
  });
}

}  // namespace

constinit PickBatchKernel cpu::pick_batch{pick, pick};

}  // namespace pliant
