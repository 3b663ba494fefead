// Loader: a data set cut into batches, epoch after epoch, prepared in the background.
//
//   Loader loader(dataset, collate, {.size = 8, .shuffle = rng.fork("shuffle"), .threads = 2});
//   for (int epoch = 0; epoch < 5; ++epoch)
//     for (const auto& batch : loader.epoch(epoch)) step(batch);
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <pliant/core/device.h>
#include <pliant/core/error.h>
#include <pliant/core/random.h>
#include <pliant/core/step_share.h>
#include <pliant/data/dataset.h>
#include <pliant/data/epoch_iterator.h>
#include <pliant/data/prefetch.h>

namespace pliant {

struct LoaderOptions {
  std::int64_t size = 32;                     // samples of a batch
  std::optional<Rng> shuffle = std::nullopt;  // nothing: in the order of the set
  Device device = {};                         // where batches are given, if they have a to(Device)
  Rng augment = Rng(0);      // sample i of epoch e is made with augment.fork(e).fork(i)
  bool drop_last = false;    // whether a last batch of fewer samples is left out
  std::int64_t ahead = 3;    // batches prepared before they are asked for
  std::int64_t threads = 1;  // that prepare them, each a batch of its own
  // A step of the training takes so many batches together, of which this loader prepares those of
  // one rank: see steps(). An epoch's last step may have fewer.
  std::int64_t parts = 1;
  std::int64_t rank = 0, ranks = 1;
};

// 0, 1 .. count-1 in random order (Fisher-Yates), a pure function of its arguments.
std::vector<std::int64_t> randperm(std::int64_t count, const Rng& rng);

// How a set of `samples` is cut, and in which order: a pure function of the options. Impossible
// options are Errors that name `who`.
class BatchPlan {
 public:
  BatchPlan(const char* who, std::int64_t samples, const LoaderOptions& options);

  std::int64_t count() const;                // batches of an epoch, of all ranks
  std::int64_t steps() const;                // of an epoch
  StepShare share(std::int64_t step) const;  // of step number `step` of an epoch
  // The numbers of this rank's batches of an epoch, from the step of batch `first` on.
  std::vector<std::int64_t> own(std::int64_t first) const;
  std::int64_t samples() const { return samples_; }  // of an epoch
  // The samples of a whole epoch, in order; those of batch b are b * size on. Empty: in the order
  // of the set.
  std::vector<std::int64_t> order(std::int64_t epoch) const;
  const LoaderOptions& options() const { return options_; }

 private:
  std::int64_t set_size_, samples_;
  LoaderOptions options_;
};

// A loop over one epoch. Leaving it early, also by an exception, ends the background threads; an
// exception of theirs comes out of begin() or ++.
template <class Batch>
class Epoch {
 public:
  using Iterator = EpochIterator<Epoch, Batch>;

  // `make` makes item i of `count` on any thread; what was waited for, in nanoseconds, is added to
  // `waited`.
  Epoch(const BatchPlan& plan, std::int64_t count, std::function<Batch(std::int64_t)> make,
        std::shared_ptr<std::atomic<std::int64_t>> waited)
      : device_(plan.options().device),
        waited_(std::move(waited)),
        prefetcher_(0, count, std::move(make),
                    {.ahead = plan.options().ahead, .threads = plan.options().threads}) {}
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  // Single pass: the first batch, or the one that the loop before stopped at.
  Iterator begin() {
    if (!begun_) advance();
    begun_ = true;
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend Iterator;
  const Batch& current() const { return *current_; }
  bool has_current() const { return current_.has_value(); }
  void advance() {
    const auto before = prefetcher_.waited();
    current_.reset();
    current_ = prefetcher_.next();
    const auto waited = prefetcher_.waited() - before;
    *waited_ += std::chrono::duration_cast<std::chrono::nanoseconds>(waited).count();
    // The copy to the device is made here, not by the loader: all work of a device is issued by the
    // thread that runs the net.
    if constexpr (requires(const Batch& batch, Device device) {
                    { batch.to(device) } -> std::convertible_to<Batch>;
                  })
      if (current_ && !device_.is_cpu()) current_ = current_->to(device_);
  }

  Device device_;
  std::shared_ptr<std::atomic<std::int64_t>> waited_;
  std::optional<Batch> current_;
  bool begun_ = false;
  Prefetcher<Batch> prefetcher_;
};

// One step's batches of this rank.
template <class Batch>
struct LoaderStep {
  StepShare share;
  std::vector<Batch> batches;  // one for each of share.mine
};

// A loop over the steps of one epoch, as Epoch is one over its batches.
template <class Batch>
class EpochSteps {
 public:
  using Iterator = EpochIterator<EpochSteps, LoaderStep<Batch>>;

  // `batches` gives the epoch's.
  template <class F>
  EpochSteps(std::shared_ptr<const BatchPlan> plan, std::int64_t first, F&& batches)
      : plan_(std::move(plan)), next_(first), batches_(batches()) {}

  Iterator begin() {
    if (!begun_) advance();
    begun_ = true;
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend Iterator;
  const LoaderStep<Batch>& current() const { return current_; }
  bool has_current() const { return !done_; }
  void advance() {
    done_ = next_ >= plan_->steps();
    current_ = {};
    if (done_) return;
    current_.share = plan_->share(next_++);
    for (std::size_t part = 0; part < current_.share.mine.size(); ++part) {
      if (at_)
        ++*at_;
      else
        at_ = batches_.begin();
      current_.batches.push_back(**at_);
    }
  }

  std::shared_ptr<const BatchPlan> plan_;
  std::int64_t next_;
  Epoch<Batch> batches_;
  std::optional<typename Epoch<Batch>::Iterator> at_;
  LoaderStep<Batch> current_;
  bool begun_ = false, done_ = false;
};

template <class Batch>
class Loader {
 public:
  // collate(std::vector<Sample>) makes a batch of the samples of `dataset`, which is copied: one
  // that is large is a handle to its data. Both are called on the loader's threads.
  template <Dataset D, class Collate>
  Loader(const D& dataset, const Collate& collate, const LoaderOptions& options = {})
      : Loader("loader", dataset.size(), options,
               [dataset, collate](std::span<const std::int64_t> indices, const Rng& rng) -> Batch {
                 std::vector<SampleOf<D>> samples;
                 samples.reserve(indices.size());
                 for (const std::int64_t i : indices)
                   samples.push_back(dataset.at(i, rng.fork(static_cast<std::uint64_t>(i))));
                 return collate(std::move(samples));
               }) {}

  // The batches of one epoch from number `first` on, for one loop: those of this rank, if there are
  // several. What is in them depends on the set, the options and the number of the epoch alone.
  Epoch<Batch> epoch(std::int64_t epoch, std::int64_t first = 0) const {
    require(epoch >= 0, who_, ": epoch is ", epoch, ", expected at least 0");
    require(first >= 0 && first <= count(), who_, ": the first batch is ", first, " of ", count());
    const auto order = std::make_shared<Order>();
    const auto own = std::make_shared<const std::vector<std::int64_t>>(plan_->own(first));
    const auto make = [plan = plan_, make_batch = make_, own, order, epoch](std::int64_t item) {
      const std::int64_t batch = (*own)[static_cast<std::size_t>(item)];
      // On the loader's threads, since a large set takes a while to shuffle.
      std::call_once(order->once, [&] { order->samples = plan->order(epoch); });
      const std::int64_t begin = batch * plan->options().size;
      const std::int64_t count = std::min(plan->options().size, plan->samples() - begin);
      const Rng rng = plan->options().augment.fork(static_cast<std::uint64_t>(epoch));
      if (!order->samples.empty())
        return (*make_batch)(
            std::span(order->samples)
                .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
            rng);
      std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
      std::iota(indices.begin(), indices.end(), begin);
      return (*make_batch)(indices, rng);
    };
    return Epoch<Batch>(*plan_, static_cast<std::int64_t>(own->size()), make, waited_);
  }
  // The same by steps, from step number `first` on: each with its batches of this rank and their
  // place in the step.
  EpochSteps<Batch> steps(std::int64_t epoch, std::int64_t first = 0) const {
    require(first >= 0 && first <= plan_->steps(), who_, ": the first step is ", first, " of ",
            plan_->steps());
    const std::int64_t batch = std::min(count(), first * plan_->options().parts);
    return EpochSteps<Batch>(plan_, first, [&] { return this->epoch(epoch, batch); });
  }

  std::int64_t count() const { return plan_->count(); }  // batches of an epoch, of all ranks
  std::int64_t steps_per_epoch() const { return plan_->steps(); }
  const BatchPlan& plan() const& { return *plan_; }
  std::int64_t samples_per_epoch() const { return plan_->samples(); }  // in all its batches

  // How long the loops have waited for batches, in seconds, over all epochs so far.
  double wait_seconds() const { return static_cast<double>(waited_->load()) * 1e-9; }

 protected:
  // The samples `indices` of an epoch whose key is `rng`, as one batch.
  using MakeBatch = std::function<Batch(std::span<const std::int64_t> indices, const Rng& rng)>;

  Loader(const char* who, std::int64_t samples, const LoaderOptions& options, MakeBatch make)
      : who_(who),
        plan_(std::make_shared<BatchPlan>(who, samples, options)),
        make_(std::make_shared<MakeBatch>(std::move(make))) {}

 private:
  struct Order {
    std::once_flag once;
    std::vector<std::int64_t> samples;
  };

  // Shared with the epochs, which may outlive the loader.
  const char* who_;
  std::shared_ptr<const BatchPlan> plan_;
  std::shared_ptr<const MakeBatch> make_;
  std::shared_ptr<std::atomic<std::int64_t>> waited_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

template <Dataset D, class Collate>
Loader(D, Collate, const LoaderOptions& = {})
    -> Loader<std::invoke_result_t<Collate&, std::vector<SampleOf<D>>>>;

}  // namespace pliant
