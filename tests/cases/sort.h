// Cases of the order of elements.
#pragma once

#include <vector>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<OpCase> sort_cases() {
  std::vector<OpCase> all;
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
    for (const int axis : {0, 1, 2}) {
      const Tensor x = random({4, 5, 3}, 1);
      all.push_back({"sort", [=](const Vars& v) { return sort(v[0], axis, order).values; }, {x}});
      all.push_back(
          {"topk", [=](const Vars& v) { return exp(topk(v[0], 2, axis, order).values); }, {x}});
    }
  return all;
}

}  // namespace pliant::test
