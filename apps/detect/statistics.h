// Whether one net is better than another, as far as a test set can tell.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/detect/judge.h>
#include <pliant/apps/kit/difference.h>

namespace pliant::detect {

// COCO's AP on sets of pictures that are drawn, with replacement, from the judged ones: draw r is the
// same for every net on that set. The first is the set itself.
std::vector<double> resampled_ap(const Judgement& judgement, std::size_t classes,
                                 std::int64_t resamples);

using kit::Difference;

// resampled_ap of either net.
struct SeedPair {
  const std::vector<double>& without;
  const std::vector<double>& with;
};
// Of the AP.
Difference difference_of(const std::vector<SeedPair>& pairs);

}  // namespace pliant::detect
