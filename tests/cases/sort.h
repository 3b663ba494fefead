// Cases of the order of elements.
#pragma once

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline OpCases sort_cases() {
  OpCases all, large;
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
    for (const int axis : {0, 1, 2}) {
      const Tensor x = random({4, 5, 3}, 1);
      all.push_back({"sort", [=](const Vars& v) { return sort(v[0], axis, order).values; }, {x}});
      all.push_back(
          {"topk", [=](const Vars& v) { return exp(topk(v[0], 2, axis, order).values); }, {x}});
      const Tensor longer = random({5, 33, 3}, 1);
      large.push_back(
          {"sort", [=](const Vars& v) { return sort(v[0], axis, order).values; }, {longer}});
      large.push_back(
          {"topk", [=](const Vars& v) { return topk(v[0], 2, axis, order).values; }, {longer}});
    }
  large.push_back(
      {"sort of many", [](const Vars& v) { return sort(v[0], 1).values; }, {random({700, 90}, 4)}});
  return joined({all, without_differences(large),
                 integer_cases({{"argsort of integers",
                                 [](const Var& a, const Var&) { return Var(argsort(a, 0)); }}})});
}

}  // namespace pliant::test
