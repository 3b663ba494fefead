#include <pliant/apps/kit/difference.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <nlohmann/json.hpp>

#include <pliant/core/text.h>

namespace pliant::kit {

const char* Difference::verdict() const {
  const auto all = [this](auto sign) { return std::all_of(by_seed.begin(), by_seed.end(), sign); };
  if (low > 0 && all([](double by) { return by > 0; })) return "better";
  if (high < 0 && all([](double by) { return by < 0; })) return "worse";
  return "no difference found";
}

Difference difference_of(std::vector<double> by_seed, double mean, std::vector<double> resampled) {
  constexpr double kTail = 0.025;  // on either side of the interval
  std::sort(resampled.begin(), resampled.end());
  const auto at = [&](double share) {
    return resampled[static_cast<std::size_t>(
        std::llround(share * static_cast<double>(resampled.size() - 1)))];
  };
  return {std::move(by_seed), mean, at(kTail), at(1 - kTail)};
}

nlohmann::ordered_json json_of(const Difference& difference) {
  return {{"by_seed", difference.by_seed},
          {"mean", difference.mean},
          {"interval", {difference.low, difference.high}},
          {"verdict", difference.verdict()}};
}

Section differences_section(const std::string& what, const std::vector<Comparison>& comparisons,
                            const std::string& resampled) {
  Section section{.title = "Differences of the " + what + ", in points, paired by seed",
                  .lines = {{"net", "against", "by seed", "mean", "95 % interval", ""}},
                  .note = "intervals by resampling " + resampled +
                          "; better or worse only if every seed has that sign and the interval "
                          "leaves 0 out"};
  for (const Comparison& of : comparisons) {
    std::string by_seed;
    for (const double by : of.difference.by_seed)
      by_seed += (by_seed.empty() ? "" : " ") + points(by);
    section.lines.push_back({of.name, of.against, by_seed, points(of.difference.mean),
                             points(of.difference.low) + " to " + points(of.difference.high),
                             of.difference.verdict()});
  }
  return section;
}

std::string points(double share) { return (share < 0 ? "" : "+") + fixed(100 * share, 2); }

}  // namespace pliant::kit
