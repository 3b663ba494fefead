// Cases of axes in another order.
#pragma once

#include <pliant/autograd/ops/permute.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases permute_cases() {
  const auto to = [](const std::vector<int>& axes, const Shape& shape,
                     const char* name = "permute") {
    return OpCase{name, [=](const Vars& v) { return permute(v[0], axes); }, {random(shape, 1)}};
  };
  return joined({{to({0, 3, 1, 2}, {2, 3, 4, 5}), to({-1, 0, -2}, {3, 4, 2}),
                  to({3, 0, 4, 1, 2}, {2, 3, 1, 2, 4}), to({}, {}), to({1, 2, 0}, {2, 0, 3})},
                 without_differences({to({0, 3, 1, 2}, {2, 5, 6, 7}),
                                      to({0, 2, 3, 1, 4}, {2, 3, 33, 5, 2}, "permute, pairs stay"),
                                      to({2, 0, 1}, {3, 0, 4}), to({2, 0, 1}, {30, 41, 53})})});
}

}  // namespace pliant::test
