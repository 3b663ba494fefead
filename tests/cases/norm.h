// Cases of norms.
#pragma once

#include <vector>

#include <pliant/autograd/ops/norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases norm_cases() {
  OpCases all;
  for (const double p : {2.0, 1.0, 0.5, 3.0, HUGE_VAL, -HUGE_VAL})
    for (const std::vector<int>& axes : {std::vector<int>{1}, {0, 2}, {0, 1, 2}})
      all.push_back({"norm",
                     [=](const Vars& v) { return norm(v[0], axes, {.p = p}); },
                     {random({2, 5, 3}, 1, 0.2, 1.0)},
                     1e-3});
  return joined({all, without_differences({{"norm of many",
                                            [](const Vars& v) { return norm(v[0], {0}, {.p = 3}); },
                                            {random({400, 70}, 1)}}})});
}

}  // namespace pliant::test
