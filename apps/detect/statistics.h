// Whether one net is better than another, as far as a test set can tell.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/detect/judge.h>

namespace pliant::detect {

// COCO's AP on sets of pictures that are drawn, with replacement, from the judged ones: draw r is the
// same for every net on that set. The first is the set itself.
std::vector<double> resampled_ap(const Judgement& judgement, std::size_t classes,
                                 std::int64_t resamples);

// Differences of the AP of two nets for each seed, with minus without.
struct Difference {
  std::vector<double> by_seed;
  double mean = 0;
  double low = 0, high = 0;  // 95 % of what resampled sets give lies between

  // Better or worse only if every seed has that sign and the interval leaves 0 out.
  const char* verdict() const;  // "better", "worse" or "no difference found"
};

// resampled_ap of either net, for each seed.
struct SeedPair {
  const std::vector<double>& without;
  const std::vector<double>& with;
};
Difference difference_of(const std::vector<SeedPair>& pairs);

}  // namespace pliant::detect
