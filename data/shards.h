// Shards: a data set in tar files, as WebDataset keeps them, in folders or behind URLs.
//
//   const ShardLoader loader(Shards(shard_names("https://host/train-{000..146}.tar")),
//                            labelled_image, stack_images, {.size = 64, .shuffle = Rng(1)});
//   for (std::int64_t epoch = 0; epoch < 5; ++epoch)
//     for (const LabelledImages& batch : loader.epoch(epoch)) step(batch);
//
// A sample is the files of one name, "a/0001.jpg" and "a/0001.cls", which follow one another. A shard
// is read whole, so that what it takes in memory, times those read ahead, is what this takes.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/bad_files.h>
#include <pliant/data/epoch_iterator.h>
#include <pliant/data/prefetch.h>
#include <pliant/data/samples.h>

namespace pliant {

struct ShardSample {
  std::string shard, key;                    // its file, and its name there without extensions
  std::map<std::string, std::string> files;  // contents by extension, in lower case: "jpg", "cls"

  // The content with this extension; an Error that names the sample if there is none.
  const std::string& at(const std::string& extension) const&;
  const std::string& at(const std::string& extension) const&& = delete;
};

// "train-{000..146}.tar" as 147 names, of as many digits; one without braces is itself. A range that
// is none is an Error.
std::vector<std::string> shard_names(const std::string& pattern);

// The samples of a tar file (plain, or compressed by gzip and the like), in its order. A URL
// (http, https) is fetched to a temporary file. What cannot be read, two files of one extension in a
// sample and a build without libarchive are Errors that name the shard.
std::vector<ShardSample> read_shard(const std::string& shard);

// The picture ("jpg", "jpeg", "png" or "bmp") and its class ("cls", a whole number in decimals).
LabelledImage labelled_image(const ShardSample& sample, const Rng& rng);

struct Shards {
  explicit Shards(std::vector<std::string> names);
  std::vector<std::string> names;
};

struct ShardOptions {
  std::int64_t size = 32;                     // samples of a batch
  std::optional<Rng> shuffle = std::nullopt;  // shards, and the samples within each, by epoch
  Rng augment = Rng(0);  // a sample of epoch e is decoded with augment.fork(e).fork(its key)
  bool drop_last = false;
  std::int64_t ahead = 2, threads = 1;  // shards read and decoded before they are asked for
  std::int64_t rank = 0, ranks = 1;     // a rank has every ranks-th shard of an epoch's order
  BadFiles bad_files = BadFiles::stop;  // of shards that are missing or cannot be read, whole
};

// Where a walk over an epoch stands: the next sample is this one of this rank's shard of this number.
struct ShardPosition {
  std::int64_t shard = 0, sample = 0;
  friend bool operator==(const ShardPosition&, const ShardPosition&) = default;
};

// Which shards a rank has in an epoch, in which order, and the order of the samples within: pure
// functions of the options.
class ShardPlan {
 public:
  ShardPlan(std::vector<std::string> names, const ShardOptions& options);

  std::vector<std::string> shards(std::int64_t epoch) const;
  // Where the samples of a shard go: the sample that comes first, second ..
  std::vector<std::int64_t> order(std::int64_t epoch, const std::string& shard,
                                  std::int64_t samples) const;
  const ShardOptions& options() const { return options_; }

 private:
  std::vector<std::string> names_;
  ShardOptions options_;
};

// A loop over one epoch; see Epoch (data/loader.h).
template <class Sample, class Batch>
class ShardEpoch {
 public:
  using Iterator = EpochIterator<ShardEpoch, Batch>;
  using Collate = std::function<Batch(std::vector<Sample>)>;
  // The samples of this rank's shard of that number, decoded and in order.
  using Read = std::function<std::vector<Sample>(std::int64_t shard)>;

  ShardEpoch(const ShardOptions& options, std::int64_t shards, const ShardPosition& from, Read read,
             Collate collate)
      : options_(options),
        collate_(std::move(collate)),
        at_(from),
        prefetcher_(from.shard, shards, std::move(read),
                    {.ahead = options.ahead, .threads = options.threads}) {}
  ShardEpoch(const ShardEpoch&) = delete;
  ShardEpoch& operator=(const ShardEpoch&) = delete;

  Iterator begin() {
    if (!begun_) advance();
    begun_ = true;
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

  // Of the sample behind the present batch: ShardLoader::epoch(epoch, position()) goes on there.
  ShardPosition position() const { return at_; }

 private:
  friend Iterator;
  const Batch& current() const { return *current_; }
  bool has_current() const { return current_.has_value(); }
  // Whether there is another sample, which at_ is.
  bool seek() {
    while (true) {
      if (!shard_) shard_ = prefetcher_.next();
      if (!shard_) return false;
      if (at_.sample < static_cast<std::int64_t>(shard_->size())) return true;
      shard_.reset();
      at_ = {at_.shard + 1, 0};
    }
  }
  void advance() {
    current_.reset();
    std::vector<Sample> samples;
    while (static_cast<std::int64_t>(samples.size()) < options_.size && seek())
      samples.push_back(std::move((*shard_)[static_cast<std::size_t>(at_.sample++)]));
    const bool whole = static_cast<std::int64_t>(samples.size()) == options_.size;
    if (!samples.empty() && (whole || !options_.drop_last)) current_ = collate_(std::move(samples));
  }

  ShardOptions options_;
  Collate collate_;
  ShardPosition at_;
  std::optional<std::vector<Sample>> shard_;
  std::optional<Batch> current_;
  bool begun_ = false;
  Prefetcher<std::vector<Sample>> prefetcher_;
};

template <class Sample, class Batch>
class ShardLoader {
 public:
  using Decode = std::function<Sample(const ShardSample&, const Rng&)>;
  using Collate = std::function<Batch(std::vector<Sample>)>;

  // decode(sample, rng) on the threads of the loader, collate(samples) on the caller's.
  ShardLoader(const Shards& shards, Decode decode, Collate collate,
              const ShardOptions& options = {})
      : plan_(std::make_shared<const ShardPlan>(shards.names, options)),
        decode_(std::move(decode)),
        collate_(std::move(collate)),
        left_out_(std::make_shared<LeftOut>()) {}

  // One epoch, or what is left of it, for one loop.
  ShardEpoch<Sample, Batch> epoch(std::int64_t epoch, const ShardPosition& from = {}) const {
    const auto shards = std::make_shared<const std::vector<std::string>>(plan_->shards(epoch));
    const auto count = static_cast<std::int64_t>(shards->size());
    require(from.shard >= 0 && from.shard <= count && from.sample >= 0, "shards: sample ",
            from.sample, " of shard ", from.shard, " of ", count);
    const auto read = [plan = plan_, decode = decode_, left_out = left_out_, shards,
                       epoch](std::int64_t number) {
      const std::string& name = (*shards)[static_cast<std::size_t>(number)];
      std::vector<Sample> samples;
      try {
        const std::vector<ShardSample> packed = read_shard(name);
        const Rng rng = plan->options().augment.fork(static_cast<std::uint64_t>(epoch));
        for (const std::int64_t i :
             plan->order(epoch, name, static_cast<std::int64_t>(packed.size()))) {
          const ShardSample& sample = packed[static_cast<std::size_t>(i)];
          samples.push_back(decode(sample, rng.fork(sample.key)));
        }
      } catch (const Error& error) {
        if (plan->options().bad_files == BadFiles::stop) throw;
        samples.clear();
        left_out->add({name, error.what()});
      }
      return samples;
    };
    return {plan_->options(), count, from, read, collate_};
  }

  // Shards that were left out so far, each once.
  std::vector<BadFile> bad_files() const { return left_out_->all(); }

 private:
  class LeftOut {
   public:
    void add(BadFile file) {
      const std::lock_guard lock(mutex_);
      for (const BadFile& known : files_)
        if (known.name == file.name) return;
      files_.push_back(std::move(file));
    }
    std::vector<BadFile> all() const {
      const std::lock_guard lock(mutex_);
      return files_;
    }

   private:
    mutable std::mutex mutex_;
    std::vector<BadFile> files_;
  };

  std::shared_ptr<const ShardPlan> plan_;
  Decode decode_;
  Collate collate_;
  std::shared_ptr<LeftOut> left_out_;
};

template <class Decode, class Collate>
ShardLoader(const Shards&, Decode, Collate, const ShardOptions& = {}) -> ShardLoader<
    std::invoke_result_t<Decode&, const ShardSample&, const Rng&>,
    std::invoke_result_t<
        Collate&, std::vector<std::invoke_result_t<Decode&, const ShardSample&, const Rng&>>>>;

}  // namespace pliant
