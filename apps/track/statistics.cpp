#include <pliant/apps/track/statistics.h>

#include <algorithm>
#include <utility>

#include <pliant/core/error.h>
#include <pliant/core/random.h>

namespace pliant::track {

Difference difference_of(const std::vector<SeedPair>& pairs, std::int64_t resamples) {
  require(!pairs.empty() && resamples >= 1, "difference_of: ", pairs.size(), " pairs of runs and ",
          resamples, " resamples, expected at least 1 of either");
  const std::size_t videos = pairs.front().with.size();
  std::vector<double> by_video(videos);  // means over seeds
  std::vector<double> by_seed;
  double mean = 0;
  for (const SeedPair& pair : pairs) {
    require(pair.with.size() == videos && pair.without.size() == videos && videos > 0,
            "difference_of: ", pair.with.size(), " and ", pair.without.size(),
            " sequences, expected ", std::max<std::size_t>(videos, 1));
    double sum = 0;
    for (std::size_t i = 0; i < videos; ++i) {
      const double by = pair.with[i] - pair.without[i];
      by_video[i] += by / static_cast<double>(pairs.size());
      sum += by;
    }
    by_seed.push_back(sum / static_cast<double>(videos));
    mean += by_seed.back() / static_cast<double>(pairs.size());
  }
  std::vector<double> means;
  for (std::int64_t r = 0; r < resamples; ++r) {
    const Rng rng = Rng(2013).fork("bootstrap").fork(static_cast<std::uint64_t>(r));
    double sum = 0;
    for (std::uint64_t i = 0; i < videos; ++i) sum += by_video[rng.below(i, videos)];
    means.push_back(sum / static_cast<double>(videos));
  }
  return kit::difference_of(std::move(by_seed), mean, std::move(means));
}

}  // namespace pliant::track
