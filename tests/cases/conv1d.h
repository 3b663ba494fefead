#pragma once

#include <pliant/autograd/ops/conv1d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases conv1d_cases() {
  OpCases all;
  const auto conv = [](const Conv1dOptions& options) {
    return [options](const Vars& v) {
      return conv1d(v[0], v[1], v.size() == 3 ? v[2] : Var(), options);
    };
  };
  all.push_back({"conv1d", conv({}), {random({2, 7, 3}, 1), random({4, 3, 3}, 2), random({4}, 3)}});
  all.push_back({"conv1d, strided",
                 conv({.stride = 2, .padding = {1, 0}, .dilation = 2}),
                 {random({2, 8, 2}, 1), random({3, 3, 2}, 2)}});
  all.push_back({"conv1d, groups",
                 conv({.padding = 1, .groups = 2}),
                 {random({1, 5, 4}, 1), random({6, 3, 2}, 2), random({6}, 3)}});
  return all;
}

}  // namespace pliant::test
