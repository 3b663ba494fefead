// BatchPart: what a tape that sees a part of a batch knows of the whole.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pliant {

// The whole batch has images 0 .. images()-1, of which this part has `count` from `first` on. Ops
// that couple the images of a batch ask for what the other parts have: batch normalisation and the
// losses that divide by a count of labels. What they compute is then of the whole batch, with the
// same bits wherever the parts are, and random layers draw for each image what they would have
// drawn in the whole.
//
// A tape is given one by TapeOptions::part; layers/train/data_parallel.h makes them.
class BatchPart {
 public:
  BatchPart() = default;
  BatchPart(const BatchPart&) = delete;
  BatchPart& operator=(const BatchPart&) = delete;
  virtual ~BatchPart() = default;

  virtual std::int64_t images() const = 0;
  virtual std::int64_t first() const = 0;
  virtual std::int64_t count() const = 0;
  // Whether the parts may be asked; if not, each is a batch of its own but for its random numbers.
  virtual bool is_coupled() const = 0;

  // The values of every part, one part after another. All parts call it in the same order, each
  // with as many values; who waits for a part that fails gets an Error.
  virtual std::vector<double> gather(std::span<const double> values) const = 0;

  // What is summed over the batch by its share: count() / images().
  double share() const { return static_cast<double>(count()) / static_cast<double>(images()); }
  // The sums over all parts, in the order of the parts.
  void sum(std::span<double> values) const {
    const std::vector<double> all = gather(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      double total = 0;
      for (std::size_t at = i; at < all.size(); at += values.size()) total += all[at];
      values[i] = total;
    }
  }
};

}  // namespace pliant
