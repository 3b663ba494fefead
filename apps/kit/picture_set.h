// PictureSet: pictures and what is said of them, wherever they lie; halves of them; drawn ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>
#include <pliant/data/loader.h>

namespace pliant::kit {

// A Dataset of Sample, by number or id. Copies are handles.
template <class Sample>
class PictureSet {
 public:
  PictureSet() = default;
  PictureSet(std::vector<std::string> ids, std::function<Sample(std::int64_t)> read)
      : set_(std::make_shared<Set>(Set{std::move(ids), std::move(read)})) {}

  std::int64_t size() const {
    return set_ == nullptr ? 0 : static_cast<std::int64_t>(set_->ids.size());
  }
  const std::string& id(std::int64_t i) const& { return set_->ids[static_cast<std::size_t>(i)]; }
  Sample at(std::int64_t i, const Rng& /*rng*/ = Rng(0)) const { return set_->read(i); }

  // Some of them, in that order.
  PictureSet take(std::vector<std::int64_t> indices) const {
    std::vector<std::string> ids;
    for (const std::int64_t i : indices) ids.push_back(id(i));
    return {std::move(ids), [set = *this, indices = std::move(indices)](std::int64_t i) {
              return set.at(indices[static_cast<std::size_t>(i)]);
            }};
  }

 private:
  struct Set {
    std::vector<std::string> ids;
    std::function<Sample(std::int64_t)> read;
  };
  std::shared_ptr<const Set> set_;
};

// Where there is no val set, a share of the training set, drawn by key; then so many of what is left
// to learn from, all if 0.
template <class Sets, class Options>
void cut_training_set(Sets& sets, const Options& options) {
  const std::int64_t count = sets.train.size();
  if (sets.val.size() == 0) {
    const auto held =
        std::max<std::int64_t>(1, std::llround(options.val * static_cast<double>(count)));
    require(held < count, sets.source, ": ", count,
            " pictures to learn from are too few to hold some out to choose by");
    std::vector<std::int64_t> order = randperm(count, options.rng.fork("held out"));
    const auto cut = order.begin() + static_cast<std::ptrdiff_t>(held);
    std::sort(order.begin(), cut);
    std::sort(cut, order.end());
    const auto all = sets.train;
    sets.val = all.take({order.begin(), cut});
    sets.train = all.take({cut, order.end()});
  }
  if (options.train_pictures > 0 && options.train_pictures < sets.train.size()) {
    std::vector<std::int64_t> order =
        randperm(sets.train.size(), options.rng.fork("train pictures"));
    order.resize(static_cast<std::size_t>(options.train_pictures));
    sets.train = sets.train.take(std::move(order));
  }
}

// Number i is make(rng.fork(i)), called "scene i".
template <class Make>
auto drawn_scenes(std::int64_t count, const Rng& rng, const Make& make) {
  using Sample = decltype(make(rng));
  std::vector<Sample> all(static_cast<std::size_t>(count));
  std::vector<std::string> ids;
  parallel_for(count, [&](std::int64_t i) {
    all[static_cast<std::size_t>(i)] = make(rng.fork(static_cast<std::uint64_t>(i)));
  });
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back("scene " + std::to_string(i));
    all[static_cast<std::size_t>(i)].id = ids.back();
  }
  return PictureSet<Sample>(std::move(ids),
                            [all](std::int64_t i) { return all[static_cast<std::size_t>(i)]; });
}

}  // namespace pliant::kit
