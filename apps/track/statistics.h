// Whether one tracker is better than another, as far as a few sequences can tell.
#pragma once

#include <cstdint>
#include <vector>

namespace pliant::track {

// Differences of the AUC of two trackers for each seed, with minus without.
struct Difference {
  std::vector<double> by_seed;
  double mean = 0;
  double low = 0, high = 0;  // 95 % of what resampled sequences give lies between

  // Better or worse only if every seed has that sign and the interval leaves 0 out.
  const char* verdict() const;  // "better", "worse" or "no difference found"
};

// The AUC of each sequence of either tracker.
struct SeedPair {
  std::vector<double> without, with;
};
// Sequences are drawn with replacement, `resamples` times.
Difference difference_of(const std::vector<SeedPair>& pairs, std::int64_t resamples);

}  // namespace pliant::track
