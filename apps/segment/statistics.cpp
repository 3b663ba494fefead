#include <pliant/apps/segment/statistics.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <pliant/core/error.h>
#include <pliant/core/random.h>

namespace pliant::segment {
namespace {

constexpr double kTail = 0.025;  // on either side of the interval

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

const char* Difference::verdict() const {
  const auto all = [this](auto sign) { return std::all_of(by_seed.begin(), by_seed.end(), sign); };
  if (low > 0 && all([](double by) { return by > 0; })) return "better";
  if (high < 0 && all([](double by) { return by < 0; })) return "worse";
  return "no difference found";
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
  Difference difference{.by_seed = differences(drawn)};
  difference.mean = mean(difference.by_seed);
  std::vector<double> means;
  for (std::int64_t i = 0; i < resamples; ++i) {
    const Rng rng = Rng(2014).fork("bootstrap").fork(static_cast<std::uint64_t>(i));
    for (std::size_t b = 0; b < drawn.size(); ++b) drawn[b] = rng.below(b, drawn.size());
    means.push_back(mean(differences(drawn)));
  }
  std::sort(means.begin(), means.end());
  const auto at = [&](double share) {
    return means[static_cast<std::size_t>(
        std::llround(share * static_cast<double>(means.size() - 1)))];
  };
  difference.low = at(kTail);
  difference.high = at(1 - kTail);
  return difference;
}

}  // namespace pliant::segment
