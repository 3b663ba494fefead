#include <pliant/apps/segment/statistics.h>

#include <numeric>
#include <utility>

#include <pliant/core/error.h>
#include <pliant/core/random.h>

namespace pliant::segment {
namespace {

// The first picture of each block, and their number at the end.
std::vector<std::size_t> blocks_of(const std::vector<std::string>& ids, std::int64_t block) {
  std::vector<std::size_t> starts;
  std::int64_t length = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool new_video = i > 0 && video_of(ids[i]) != video_of(ids[i - 1]);
    if (i == 0 || new_video || length == block) {
      starts.push_back(i);
      length = 0;
    }
    ++length;
  }
  starts.push_back(ids.size());
  return starts;
}

// A net's counts by block.
Seen summed(const Seen& seen, const std::vector<std::size_t>& starts) {
  Seen sums;
  for (std::size_t b = 0; b + 1 < starts.size(); ++b) {
    ClassCounts sum(seen.front().classes());
    for (std::size_t i = starts[b]; i < starts[b + 1]; ++i) sum += seen[i];
    sums.push_back(std::move(sum));
  }
  return sums;
}

double mean_iou_of(const Seen& blocks, const std::vector<std::size_t>& drawn) {
  ClassCounts sum(blocks.front().classes());
  for (const std::size_t b : drawn) sum += blocks[b];
  return sum.mean_iou();
}

}  // namespace

std::string video_of(const std::string& id) {
  const std::size_t end = id.find('_');
  return end == std::string::npos ? std::string() : id.substr(0, end);
}

Difference difference_of(const std::vector<std::string>& ids, const std::vector<SeedPair>& pairs,
                         std::int64_t block, std::int64_t resamples) {
  require(!ids.empty() && !pairs.empty(), "difference_of: ", ids.size(), " pictures, ",
          pairs.size(), " pairs of nets, expected at least one of each");
  for (const SeedPair& pair : pairs)
    require(pair.with.size() == ids.size() && pair.without.size() == ids.size(),
            "difference_of: nets saw ", pair.with.size(), " and ", pair.without.size(),
            " pictures of ", ids.size());
  const std::vector<std::size_t> starts = blocks_of(ids, block);
  std::vector<std::pair<Seen, Seen>> seen;
  for (const SeedPair& pair : pairs)
    seen.emplace_back(summed(pair.with, starts), summed(pair.without, starts));
  const auto differences = [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> all;
    for (const auto& [with, without] : seen)
      all.push_back(mean_iou_of(with, drawn) - mean_iou_of(without, drawn));
    return all;
  };
  const auto mean = [](const std::vector<double>& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
           static_cast<double>(numbers.size());
  };

  std::vector<std::size_t> drawn(starts.size() - 1);
  std::iota(drawn.begin(), drawn.end(), std::size_t{0});
  std::vector<double> by_seed = differences(drawn);
  const double mean_by_seed = mean(by_seed);
  std::vector<double> means;
  for (std::int64_t i = 0; i < resamples; ++i) {
    const Rng rng = Rng(2014).fork("bootstrap").fork(static_cast<std::uint64_t>(i));
    for (std::size_t b = 0; b < drawn.size(); ++b) drawn[b] = rng.below(b, drawn.size());
    means.push_back(mean(differences(drawn)));
  }
  return kit::difference_of(std::move(by_seed), mean_by_seed, std::move(means));
}

}  // namespace pliant::segment
