// Cases of comparisons and of choice.
#pragma once

#include <utility>

#include <pliant/autograd/ops/compare.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline OpCases compare_cases() {
  const Tensor x = random({7, 33}, 1, -3.0, 3.0), other = random({33}, 3, -3.0, 3.0);
  OpCases all =
      without_gradient({{"gt", [](const Vars& v) { return Var(gt(v[0], v[1])); }, {x, other}},
                        {"ne", [](const Vars& v) { return Var(ne(v[0], v[1])); }, {x, other}}});
  const std::vector<std::pair<Shape, Shape>> pairs = {{{3, 4}, {3, 4}}, {{2, 3, 5}, {5}},
                                                      {{3, 1}, {1, 7}}, {{}, {2, 3}},
                                                      {{0, 3}, {3}},    {{7, 33}, {33}}};
  for (const auto& [a, b] : pairs) {
    const std::vector<Tensor> inputs = {random(a, 1), random(b, 2)};
    all.push_back({"maximum", [](const Vars& v) { return maximum(v[0], v[1]); }, inputs});
    all.push_back({"minimum", [](const Vars& v) { return minimum(v[0], v[1]); }, inputs});
  }
  const std::vector<std::vector<Shape>> triples = {{{3, 4}, {3, 4}, {3, 4}}, {{3, 1}, {4}, {3, 4}},
                                                   {{2, 3}, {}, {1, 3}},     {{}, {2, 3}, {3}},
                                                   {{5, 1}, {1, 7}, {}},     {{0, 3}, {3}, {0, 1}}};
  for (const std::vector<Shape>& s : triples) {
    const Tensor condition = gt(random(s[0], 1), 0.0);
    all.push_back({"where",
                   [=](const Vars& v) { return where(beside(v[0], condition), v[0], v[1]); },
                   {random(s[1], 2), random(s[2], 3)}});
  }
  all.push_back({"where, by its own input",
                 [](const Vars& v) { return where(gt(v[0], 0.0), v[0], v[1]); },
                 {x, other}});
  return joined(
      {all,
       integer_cases({{"integers: comparisons",
                       [](const Var& a, const Var& b) { return Var(eq(remainder(a, b), 1.0)); }},
                      {"integers: choice", [](const Var& a, const Var& b) {
                         return where(gt(a, b), maximum(a, 3.0 * b), minimum(a, b));
                       }}})});
}

}  // namespace pliant::test
