// Picking a step's batch out of a set of images that lives where the step runs.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/scale_image.h>
#include <pliant/core/portable.h>
#include <pliant/core/random.h>

namespace pliant {

// Step t takes batch t % batches of epoch t / batches.
struct PickGeometry {
  std::int64_t set_size, h, w, c;  // of the set
  std::int64_t size, batches;      // images of a batch, but for the last; batches of an epoch
  std::int64_t count;              // images to pick now
  bool augmented = false;
  ScaleAugmentation scale = {};
  Rng rng = Rng(0);  // of the augmentation: image i is drawn with rng.fork(epoch).fork(i)

  PLIANT_HD std::int64_t pixels() const { return h * w; }
};

// The image in place i of the batch of step `step`. order [epochs set_size], or null: as they
// come.
PLIANT_HD inline std::int64_t picked(const PickGeometry& g, const std::int64_t* order,
                                     std::int64_t step, std::int64_t i) {
  const std::int64_t place = step % g.batches * g.size + i;
  return order == nullptr ? place : order[step / g.batches * g.set_size + place];
}

// Channels [c] of one pixel `at` = row * w + column of image `index`, float32 in 0..1: bytes are
// divided by 255, and scaled at random where the geometry says so; floats are taken as they are.
PLIANT_HD inline void pick_pixel(const PickGeometry& g, const std::uint8_t* images,
                                 std::int64_t step, std::int64_t index, std::int64_t at,
                                 float* to) {
  const std::uint8_t* const image = images + index * g.pixels() * g.c;
  if (!g.augmented) {
    for (std::int64_t c = 0; c < g.c; ++c) to[c] = static_cast<float>(image[at * g.c + c]) / 255.0f;
    return;
  }
  const Rng rng = g.rng.fork(static_cast<std::uint64_t>(step / g.batches))
                      .fork(static_cast<std::uint64_t>(index));
  const ScaleDraw draw = draw_scale(g.scale, g.h, g.w, rng);
  const Interpolation how = g.scale.interpolation;
  const ScaleTap y = scale_tap(at / g.w, g.h, draw.zoom_rows, draw.shift_rows, how);
  const ScaleTap x = scale_tap(at % g.w, g.w, draw.zoom_columns, draw.shift_columns, how);
  for (std::int64_t c = 0; c < g.c; ++c) to[c] = scaled_pixel(image, g.w, g.c, y, x, c, how);
}
PLIANT_HD inline void pick_pixel(const PickGeometry& g, const float* images, std::int64_t,
                                 std::int64_t index, std::int64_t at, float* to) {
  const float* const from = images + (index * g.pixels() + at) * g.c;
  for (std::int64_t c = 0; c < g.c; ++c) to[c] = from[c];
}

// step [1]; images [set_size h w c], labels [set_size] -> picked_images [count h w c],
// picked_labels [count].
template <class T>
struct PickBatchArgs {
  const std::int64_t* step;
  const std::int64_t* order;
  const T* images;
  const std::int64_t* labels;
  float* picked_images;
  std::int64_t* picked_labels;
};
template <class T>
using PickBatch = void(const PickGeometry&, const PickBatchArgs<T>& args);

using PickBatchKernel = Kernel<PickBatch<std::uint8_t>, PickBatch<float>>;

namespace cpu {
extern PickBatchKernel pick_batch;
}  // namespace cpu

namespace cuda {
extern PickBatchKernel pick_batch;
}  // namespace cuda

}  // namespace pliant
