// Batches: a set of pictures cut into batches, epoch after epoch, prepared in the background.
//
//   Batches batches(train, {.size = 64, .shuffle = rng.fork("shuffle"), .device = device});
//   for (int epoch = 0; epoch < 5; ++epoch)
//     for (const Batch& batch : batches.epoch(epoch)) step(batch.images, batch.labels);
#pragma once

#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include <pliant/core/device.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>
#include <pliant/data/images.h>
#include <pliant/data/prefetch.h>
#include <pliant/data/transforms.h>

namespace pliant {

struct Batch {
  Tensor images;  // float32 [B H W C], 0..1
  Tensor labels;  // int64 [B]

  std::int64_t size() const { return labels.size(); }
};

// Random scaling: picture i of the set is drawn anew each epoch, with rng.fork(epoch).fork(i).
struct AugmentOptions {
  ScaleAugmentation scale;
  Rng rng = Rng(0);
};

struct BatchOptions {
  std::int64_t size = 32;
  std::optional<Rng> shuffle = std::nullopt;  // nothing: in the order of the set
  Device device = {};
  std::optional<AugmentOptions> augment = std::nullopt;  // for uint8 pictures only
  bool drop_last = false;  // whether a last batch of fewer pictures is left out
  std::int64_t ahead = 3;  // batches prepared before they are asked for
};

class Epoch;

class Batches {
 public:
  // Keeps handles to the tensors: uint8 (divided by 255 on the way) or float32 (taken as they are)
  // pictures on the CPU. Impossible options are Errors.
  explicit Batches(const LabelledImages& set, const BatchOptions& options = {});
  Batches(const Tensor& images, const Tensor& labels, const BatchOptions& options = {})
      : Batches(LabelledImages{images, labels}, options) {}

  // The batches of one epoch from number `first` on, for one loop. What is in them depends on the
  // set, the options and the number of the epoch alone.
  Epoch epoch(std::int64_t epoch, std::int64_t first = 0) const;

  std::int64_t count() const;             // batches of an epoch
  std::int64_t images_per_epoch() const;  // pictures of an epoch

  // How long the loops have waited for batches, in seconds, over all epochs so far.
  double wait_seconds() const;

 private:
  friend class Epoch;

  // Shared with the epochs, which may outlive the Batches.
  struct Source {
    LabelledImages set;
    BatchOptions options;
    std::atomic<std::int64_t> waited{0};  // nanoseconds
  };

  std::shared_ptr<Source> source_;
};

// A loop over one epoch. Leaving it early, also by an exception, ends the background thread; an
// exception of that thread comes out of begin() or ++.
class Epoch {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;

    const Batch& operator*() const { return *epoch_->current_; }
    const Batch* operator->() const { return &*epoch_->current_; }
    Iterator& operator++() {
      epoch_->advance();
      return *this;
    }
    void operator++(int) { epoch_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !epoch_->current_.has_value(); }

   private:
    friend class Epoch;
    explicit Iterator(Epoch* epoch) : epoch_(epoch) {}
    Epoch* epoch_;
  };

  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  // Single pass: the first batch, or the one that the loop before stopped at.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Batches;

  Epoch(std::shared_ptr<Batches::Source> source, std::int64_t epoch, std::int64_t first);
  void advance();

  std::shared_ptr<Batches::Source> source_;
  std::optional<Batch> current_;
  bool begun_ = false;
  Prefetcher<Batch> prefetcher_;
};

}  // namespace pliant
