#include <pliant/apps/detect/statistics.h>

#include <algorithm>
#include <utility>

#include <pliant/core/error.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>

namespace pliant::detect {
namespace {

// The boxes of each picture.
template <class Box>
std::vector<std::vector<Box>> by_picture(const std::vector<Box>& boxes, std::int64_t pictures) {
  std::vector<std::vector<Box>> all(static_cast<std::size_t>(pictures));
  for (const Box& box : boxes) all[static_cast<std::size_t>(box.image)].push_back(box);
  return all;
}

}  // namespace

std::vector<double> resampled_ap(const Judgement& judgement, std::size_t classes,
                                 std::int64_t resamples) {
  std::vector<double> aps(static_cast<std::size_t>(resamples + 1), judgement.ap());
  const auto truth = by_picture(judgement.truth, judgement.pictures);
  const auto found = by_picture(judgement.found, judgement.pictures);
  const auto count = static_cast<std::uint64_t>(judgement.pictures);
  parallel_for(resamples, [&](std::int64_t r) {
    const Rng rng = Rng(2014).fork("bootstrap").fork(static_cast<std::uint64_t>(r));
    std::vector<TrueBox> drawn_truth;
    std::vector<FoundBox> drawn_found;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t of = rng.below(i, count);
      for (TrueBox box : truth[of]) {
        box.image = static_cast<std::int64_t>(i);
        drawn_truth.push_back(box);
      }
      for (FoundBox box : found[of]) {
        box.image = static_cast<std::int64_t>(i);
        drawn_found.push_back(box);
      }
    }
    const double ap = coco_figures(drawn_truth, drawn_found, static_cast<std::int64_t>(classes)).ap;
    aps[static_cast<std::size_t>(r + 1)] = std::max(0.0, ap);
  });
  return aps;
}

Difference difference_of(const std::vector<SeedPair>& pairs) {
  require(!pairs.empty(), "difference_of: no pair of nets");
  const std::size_t draws = pairs.front().with.size();
  std::vector<double> means(draws);  // over seeds; the first of the set itself
  std::vector<double> by_seed;
  for (const SeedPair& pair : pairs) {
    require(pair.with.size() == draws && pair.without.size() == draws,
            "difference_of: ", pair.with.size(), " and ", pair.without.size(), " draws of ", draws);
    by_seed.push_back(pair.with.front() - pair.without.front());
    for (std::size_t r = 0; r < draws; ++r)
      means[r] += (pair.with[r] - pair.without[r]) / static_cast<double>(pairs.size());
  }
  return kit::difference_of(std::move(by_seed), means.front(),
                            {means.begin() + (draws > 1 ? 1 : 0), means.end()});
}

}  // namespace pliant::detect
