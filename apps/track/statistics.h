// Whether one tracker is better than another, as far as a few sequences can tell.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/kit/difference.h>

namespace pliant::track {

using kit::Difference;

// The AUC of each sequence of either tracker.
struct SeedPair {
  std::vector<double> without, with;
};
// Of the AUC. Sequences are drawn with replacement, `resamples` times.
Difference difference_of(const std::vector<SeedPair>& pairs, std::int64_t resamples);

}  // namespace pliant::track
