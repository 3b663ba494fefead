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

}  // namespace pliant
