// Cases of sums, products and quotients, and of stretching.
#pragma once

#include <utility>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline OpCases arithmetic_cases() {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 4}, {3, 4}},    {{2, 3, 4}, {4}}, {{3, 1}, {1, 5}}, {{}, {2, 3}},
      {{2, 1, 3}, {5, 1}}, {{7}, {1}},       {{0, 3}, {3}},    {{2, 3, 1, 5}, {3, 4, 1}}};
  OpCases all;
  for (const auto& [a, b] : shapes) {
    const std::vector<Tensor> inputs = {random(a, 1, 0.5, 2.0), random(b, 2, 0.5, 2.0)};
    all.push_back({"add", [](const Vars& v) { return v[0] + v[1]; }, inputs});
    all.push_back({"sub", [](const Vars& v) { return v[0] - v[1]; }, inputs});
    all.push_back({"mul", [](const Vars& v) { return v[0] * v[1]; }, inputs});
    all.push_back({"div", [](const Vars& v) { return v[0] / v[1]; }, inputs});
  }
  all.push_back({"scalar", [](const Vars& v) { return v[0] * 3.0 + 1.0; }, {random({3, 4, 5}, 1)}});
  all.push_back({"remainder",
                 [](const Vars& v) { return remainder(v[0], v[1]); },
                 {random({3, 4}, 1, 2.1, 2.9), random({4}, 2, 0.8, 0.95)}});
  all.push_back({"broadcast_to",
                 [](const Vars& v) {
                   return broadcast_to(v[0], {3, 4, 5});
                 },
                 {random({4, 1}, 2, 0.5, 2.0)}});
  return joined({all, integer_cases({{"integers: sums",
                                      [](const Var& a, const Var& b) { return a + b * a - b; }},
                                     {"integers: quotients", [](const Var& a, const Var& b) {
                                        return remainder(a, b) * 100.0 + floor_divide(a, b);
                                      }}})});
}

}  // namespace pliant::test
