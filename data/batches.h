// Batches: a set of images cut into batches, epoch after epoch, prepared in the background.
//
//   Batches batches(train, {.size = 64, .shuffle = rng.fork("shuffle"), .device = device});
//   for (int epoch = 0; epoch < 5; ++epoch)
//     for (const LabelledImages& batch : batches.epoch(epoch)) step(batch.images, batch.labels);
#pragma once

#include <cstdint>
#include <optional>

#include <pliant/core/device.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/data/images.h>
#include <pliant/data/loader.h>
#include <pliant/data/transforms.h>

namespace pliant {

// Random scaling: image i of the set is drawn anew each epoch, with rng.fork(epoch).fork(i).
struct AugmentOptions {
  ScaleAugmentation scale = {};
  Rng rng = Rng(0);
};

struct BatchOptions {
  std::int64_t size = 32;
  std::optional<Rng> shuffle = std::nullopt;  // nothing: in the order of the set
  Device device = {};
  std::optional<AugmentOptions> augment = std::nullopt;  // for uint8 images only
  bool drop_last = false;    // whether a last batch of fewer images is left out
  std::int64_t ahead = 3;    // batches prepared before they are asked for
  std::int64_t threads = 1;  // that prepare them
  std::int64_t parts = 1;    // as LoaderOptions says
  std::int64_t rank = 0, ranks = 1;
};

// The Loader of a set that lies in memory. Its batches: images float32 [B H W C], 0..1, labels int64
// [B].
class Batches : public Loader<LabelledImages> {
 public:
  // Keeps handles to the tensors: uint8 (divided by 255 on the way) or float32 (taken as they are)
  // images on the CPU. Impossible options are Errors.
  explicit Batches(const LabelledImages& set, const BatchOptions& options = {});
  Batches(const Tensor& images, const Tensor& labels, const BatchOptions& options = {})
      : Batches(LabelledImages{images, labels}, options) {}
};

}  // namespace pliant
