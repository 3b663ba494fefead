#include <pliant/data/batches.h>

#include <algorithm>

namespace pliant {
namespace {

constexpr const char* kWho = "batches";

LoaderOptions loader_options(const BatchOptions& options) {
  return {.size = options.size,
          .shuffle = options.shuffle,
          .device = options.device,
          .augment = options.augment ? options.augment->rng : Rng(0),
          .drop_last = options.drop_last,
          .ahead = options.ahead,
          .threads = options.threads,
          .parts = options.parts,
          .rank = options.rank,
          .ranks = options.ranks};
}

const LabelledImages& checked(const LabelledImages& set, const BatchOptions& options) {
  set.check(kWho);
  if (!options.augment) return set;
  check_scale(kWho, options.augment->scale);
  require(set.images.dtype() == DType::uint8, kWho, ": augmentation needs uint8 images, got ",
          set.images.dtype());
  return set;
}

// Makes batches without a call of parallel_for: those threads belong to the net, and a batch takes
// much less than a step.
class ImagesToBatch {
 public:
  ImagesToBatch(const LabelledImages& set, const BatchOptions& options)
      : set_(set), augment_(options.augment) {}

  LabelledImages operator()(std::span<const std::int64_t> indices, const Rng& epoch) const {
    Shape shape = set_.images.shape();
    shape[0] = static_cast<std::int64_t>(indices.size());
    LabelledImages batch{Tensor::empty(shape), Tensor::empty({shape[0]}, DType::int64)};
    const std::int64_t row = shape[0] == 0 ? 0 : batch.images.size() / shape[0];
    float* images = batch.images.mutable_data<float>();
    std::int64_t* labels = batch.labels.mutable_data<std::int64_t>();
    for (const std::int64_t index : indices) {
      load(index, row, epoch, images);
      images += row;
      *labels++ = set_.labels.data<std::int64_t>()[index];
    }
    return batch;
  }

 private:
  void load(std::int64_t index, std::int64_t row, const Rng& epoch, float* to) const {
    if (set_.images.dtype() == DType::float32) {
      std::copy_n(set_.images.data<float>() + index * row, row, to);
      return;
    }
    const std::uint8_t* const from = set_.images.data<std::uint8_t>() + index * row;
    if (!augment_) {
      std::transform(from, from + row, to,
                     [](std::uint8_t value) { return static_cast<float>(value) / 255.0f; });
      return;
    }
    const Shape& shape = set_.images.shape();
    const ScaleAugmentation& scale = augment_->scale;
    const Rng rng = epoch.fork(static_cast<std::uint64_t>(index));
    scale_image(from, shape[1], shape[2], shape[3], draw_scale(scale, shape[1], shape[2], rng),
                scale.interpolation, to);
  }

  LabelledImages set_;
  std::optional<AugmentOptions> augment_;
};

}  // namespace

Batches::Batches(const LabelledImages& set, const BatchOptions& options)
    : Loader(kWho, checked(set, options).size(), loader_options(options),
             ImagesToBatch(set, options)) {}

}  // namespace pliant
