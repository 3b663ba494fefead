#include <pliant/apps/kit/difference.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

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

}  // namespace pliant::kit
