// What a data set is: a number of samples, each made when it is asked for.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include <pliant/core/random.h>

namespace pliant {

// at(i, rng), 0 <= i < size(), reads sample i: any type. What is random in it, its augmentation, is
// drawn from `rng` alone. Several threads call at() at once.
template <class D>
concept Dataset = requires(const D& dataset, std::int64_t i, const Rng& rng) {
  { dataset.size() } -> std::convertible_to<std::int64_t>;
  dataset.at(i, rng);
};

template <Dataset D>
using SampleOf = decltype(std::declval<const D&>().at(0, std::declval<const Rng&>()));

// The samples of a Dataset, each as f(sample, rng) makes it: augmented, or of another type.
//
//   const Mapped augmented(set, [](const DetectionSample& sample, const Rng& rng) { .. });
template <Dataset D, class F>
class Mapped {
 public:
  Mapped(D dataset, F f) : dataset_(std::move(dataset)), f_(std::move(f)) {}

  std::int64_t size() const { return dataset_.size(); }
  auto at(std::int64_t i, const Rng& rng) const {
    return f_(dataset_.at(i, rng.fork("dataset")), rng.fork("map"));
  }

 private:
  D dataset_;
  F f_;
};

}  // namespace pliant
