#pragma once

#include <pliant/autograd/ops/recurrent.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases recurrent_cases() {
  OpCases all;
  const auto lstm = [](const Vars& v) { return lstm_states(v[0], v[1], v[2], v[3]); };
  const auto gru = [](const Vars& v) {
    return gru_states(v[0], v[1], v[2], v.size() == 4 ? v[3] : Var());
  };
  struct Sizes {
    std::int64_t steps, n, h;
  };
  for (const auto& [steps, n, h] : {Sizes{1, 1, 1}, {3, 2, 5}, {2, 3, 18}, {0, 2, 3}, {2, 0, 3}}) {
    all.push_back({"lstm_states",
                   lstm,
                   {random({steps, n, 4 * h}, 1, -2, 2), random({n, h}, 2), random({n, h}, 3),
                    random({4 * h, h}, 4)}});
    all.push_back({"gru_states",
                   gru,
                   {random({steps, n, 3 * h}, 1, -2, 2), random({n, h}, 2), random({3 * h, h}, 3),
                    random({3 * h}, 4)}});
  }
  all.push_back({"gru_states without bias",
                 gru,
                 {random({3, 2, 12}, 1), random({2, 4}, 2), random({12, 4}, 3)}});
  return all;
}

}  // namespace pliant::test
