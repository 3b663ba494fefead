#include <pliant/data/batches.h>

#include <algorithm>

#include <pliant/core/sizes.h>

namespace pliant {
namespace {

// Makes the batches of one epoch, in order. It runs on the loader's thread and never
// calls parallel_for: those threads belong to the net, and a batch takes much less than a step.
class Loader {
 public:
  Loader(const LabelledImages& set, const BatchOptions& options, std::int64_t images,
         std::int64_t epoch, std::int64_t first)
      : set_(set),
        options_(options),
        images_(images),
        epoch_(static_cast<std::uint64_t>(epoch)),
        next_(first < ceil_quotient(images, options.size) ? first * options.size : images) {}

  std::optional<Batch> operator()() {
    if (next_ == images_) return std::nullopt;
    // On the loader's thread, since a large set takes a while to shuffle.
    if (options_.shuffle && order_.empty())
      order_ = permutation(set_.size(), options_.shuffle->fork(epoch_));
    const std::int64_t count = std::min(options_.size, images_ - next_);
    Shape shape = set_.images.shape();
    shape[0] = count;
    Batch batch{Tensor::empty(shape), Tensor::empty({count}, DType::int64)};
    const std::int64_t row = batch.images.size() / count;
    float* const images = batch.images.mutable_data<float>();
    std::int64_t* const labels = batch.labels.mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index =
          options_.shuffle ? order_[static_cast<std::size_t>(next_ + i)] : next_ + i;
      load(index, row, images + i * row);
      labels[i] = set_.labels.data<std::int64_t>()[index];
    }
    next_ += count;
    return batch;
  }

 private:
  void load(std::int64_t index, std::int64_t row, float* to) const {
    if (set_.images.dtype() == DType::float32) {
      std::copy_n(set_.images.data<float>() + index * row, row, to);
      return;
    }
    const std::uint8_t* const from = set_.images.data<std::uint8_t>() + index * row;
    if (!options_.augment) {
      std::transform(from, from + row, to,
                     [](std::uint8_t value) { return static_cast<float>(value) / 255.0f; });
      return;
    }
    const Shape& shape = set_.images.shape();
    const ScaleAugmentation& scale = options_.augment->scale;
    const Rng rng = options_.augment->rng.fork(epoch_).fork(static_cast<std::uint64_t>(index));
    scale_image(from, shape[1], shape[2], shape[3], draw_scale(scale, shape[1], shape[2], rng),
                scale.interpolation, to);
  }

  LabelledImages set_;
  BatchOptions options_;
  std::int64_t images_;
  std::uint64_t epoch_;
  std::int64_t next_;  // pictures done
  std::vector<std::int64_t> order_;
};

std::int64_t images_of(const LabelledImages& set, const BatchOptions& options) {
  return options.drop_last ? set.size() / options.size * options.size : set.size();
}

}  // namespace

Batches::Batches(const LabelledImages& set, const BatchOptions& options)
    : source_(std::make_shared<Source>()) {
  check_labelled_images("batches", set);
  require(options.size >= 1, "batches: size is ", options.size, ", expected at least 1");
  require(options.ahead >= 1, "batches: ahead is ", options.ahead, ", expected at least 1");
  if (options.augment) {
    check("batches", options.augment->scale);
    require(set.images.dtype() == DType::uint8, "batches: augmentation needs uint8 images, got ",
            set.images.dtype());
  }
  source_->set = set;
  source_->options = options;
}

Epoch Batches::epoch(std::int64_t epoch, std::int64_t first) const {
  require(epoch >= 0, "batches: epoch is ", epoch, ", expected at least 0");
  require(first >= 0 && first <= count(), "batches: the first batch is ", first, " of ", count());
  return Epoch(source_, epoch, first);
}

std::int64_t Batches::count() const {
  return ceil_quotient(images_per_epoch(), source_->options.size);
}

std::int64_t Batches::images_per_epoch() const { return images_of(source_->set, source_->options); }

double Batches::wait_seconds() const { return static_cast<double>(source_->waited.load()) * 1e-9; }

Epoch::Epoch(std::shared_ptr<Batches::Source> source, std::int64_t epoch, std::int64_t first)
    : source_(std::move(source)),
      prefetcher_(Loader(source_->set, source_->options, images_of(source_->set, source_->options),
                         epoch, first),
                  static_cast<std::size_t>(source_->options.ahead)) {}

Epoch::Iterator Epoch::begin() {
  if (!begun_) advance();
  begun_ = true;
  return Iterator(this);
}

void Epoch::advance() {
  const auto before = prefetcher_.waited();
  current_.reset();
  current_ = prefetcher_.next();
  const auto waited = prefetcher_.waited() - before;
  source_->waited += std::chrono::duration_cast<std::chrono::nanoseconds>(waited).count();
  // The copy to the device is made here, not by the loader: all work of a device is issued by the
  // thread that runs the net.
  if (current_ && !source_->options.device.is_cpu())
    current_ = Batch{current_->images.to(source_->options.device),
                     current_->labels.to(source_->options.device)};
}

}  // namespace pliant
