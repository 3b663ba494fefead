// Cases of correlation with a pattern of each image.
#pragma once

#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct CorrelationCase {
  const char* name;
  Shape search, pattern;
};

inline const std::vector<CorrelationCase>& cross_correlation_shapes() {
  static const std::vector<CorrelationCase> all = {
      {"one image", {1, 6, 7, 3}, {1, 3, 4, 3}},
      {"1x1 maps", {2, 1, 1, 5}, {2, 1, 1, 5}},
      {"one place", {3, 4, 2, 4}, {3, 4, 2, 4}},
      {"pattern of one pixel", {2, 3, 5, 1}, {2, 1, 1, 1}},
      {"more channels than a vector", {2, 4, 5, 19}, {2, 2, 3, 19}},
      {"prime batch", {7, 5, 3, 2}, {7, 2, 2, 2}},
      {"empty batch", {0, 5, 5, 2}, {0, 3, 3, 2}},
      {"no channels", {2, 5, 5, 0}, {2, 3, 3, 0}},
      {"channels in vectors", {2, 7, 6, 8}, {2, 3, 2, 8}},
      {"channels one by one", {2, 7, 6, 5}, {2, 3, 2, 5}},
      {"one place, in vectors", {1, 4, 4, 8}, {1, 4, 4, 8}},
      {"one place, one by one", {1, 4, 4, 5}, {1, 4, 4, 5}},
  };
  return all;
}

inline OpCases cross_correlation_cases() {
  const auto correlate = [](const Vars& v) { return cross_correlation_depthwise(v[0], v[1]); };
  OpCases all, large;
  for (const CorrelationCase& c : cross_correlation_shapes())
    all.push_back({c.name, correlate, {random(c.search, 1), random(c.pattern, 2)}});
  for (const std::int64_t c : {8, 5})
    large.push_back(
        {"many places", correlate, {random({2, 16, 15, c}, 1), random({2, 3, 3, c}, 2)}});
  large.push_back(
      {"many channels", correlate, {random({3, 17, 13, 37}, 1), random({3, 5, 4, 37}, 2)}});
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
