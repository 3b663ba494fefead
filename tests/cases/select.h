// Cases of elements chosen by a mask.
#pragma once

#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/select.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline OpCases select_cases() {
  const Tensor mask = gt(random({3, 4}, 7), 0.0), row = gt(random({4}, 8), 0.0);
  const OpCases all = {
      {"masked_select",
       [=](const Vars& v) { return masked_select(v[0], beside(v[0], mask)); },
       {random({3, 4}, 1)}},
      {"masked_select, broadcast",
       [=](const Vars& v) { return masked_select(v[0], beside(v[0], mask)); },
       {random({2, 1, 4}, 1)}},
      {"masked_fill",
       [=](const Vars& v) { return masked_fill(v[0], beside(v[0], row), -2.0); },
       {random({3, 4}, 1)}},
      {"masked_select, by its own input",
       [](const Vars& v) { return masked_select(v[0], gt(v[0], 0.0)); },
       {random({5, 7}, 3)}},
  };
  return joined({all, integer_cases({{"nonzero", [](const Var& a, const Var& b) {
                                        return Var(nonzero(gt(a, b)));
                                      }}})});
}

}  // namespace pliant::test
