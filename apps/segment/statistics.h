// Whether one net is better than another, as far as a test set of related pictures can tell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/apps/kit/difference.h>
#include <pliant/apps/segment/judge.h>

namespace pliant::segment {

// The video that a picture is of: its id up to the first '_'; nothing where there is none.
std::string video_of(const std::string& id);

// What a net saw, picture by picture.
using Seen = std::vector<ClassCounts>;

// Of two nets for each seed, on the same pictures.
struct SeedPair {
  const Seen& without;
  const Seen& with;
};

using kit::Difference;

// Of the mean IoU. Neighbouring pictures of a video are resampled as blocks of `block`, `resamples` times by key.
Difference difference_of(const std::vector<std::string>& ids, const std::vector<SeedPair>& pairs,
                         std::int64_t block, std::int64_t resamples = 2000);

}  // namespace pliant::segment
