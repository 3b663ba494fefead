// Cases of norms and of clamping by tensors.
#pragma once

#include <vector>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<OpCase> vector_norm_cases() {
  std::vector<OpCase> all;
  for (const double p : {2.0, 1.0, 0.5, 3.0, HUGE_VAL, -HUGE_VAL})
    for (const std::vector<int>& axes : {std::vector<int>{1}, {0, 2}, {0, 1, 2}})
      all.push_back({"norm",
                     [=](const Vars& v) { return norm(v[0], axes, {.p = p}); },
                     {random({2, 5, 3}, 1, 0.2, 1.0)},
                     1e-3});
  all.push_back({"clamp by tensors",
                 [](const Vars& v) { return clamp(v[0], v[1], v[2]); },
                 {random({5, 4}, 1), random({4}, 2, -0.9, -0.2), random({5, 1}, 3, 0.1, 0.8)}});
  all.push_back({"clamp from below",
                 [](const Vars& v) { return clamp(v[0], v[1], {}); },
                 {random({5, 4}, 1), random({4}, 2)}});
  return all;
}

}  // namespace pliant::test
