// Whether one net is better than another, as far as seeds and a test set can tell.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/kit/text_table.h>

namespace pliant::kit {

// Differences of a score of two nets, paired by seed, with minus without.
struct Difference {
  std::vector<double> by_seed;
  double mean = 0;
  double low = 0, high = 0;  // 95 % of what resampled test sets give lie between

  // "better", "worse", where every seed has that sign and the interval leaves 0 out; else "no
  // difference found".
  const char* verdict() const;
};

// `resampled`: the mean over seeds on each resampled test set, at least one.
Difference difference_of(std::vector<double> by_seed, double mean, std::vector<double> resampled);

nlohmann::ordered_json json_of(const Difference& difference);

struct Comparison {
  std::string name, against;
  Difference difference;
};
// Of the score `what`; `resampled` says how: "the judged pictures".
Section differences_section(const std::string& what, const std::vector<Comparison>& comparisons,
                            const std::string& resampled);

// In points, that is hundredths: "+1.25".
std::string points(double share);

}  // namespace pliant::kit
