// Cases of convolutions whose kernels are mixtures of experts.
#pragma once

#include <pliant/autograd/ops/cond_conv2d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases cond_conv2d_cases() {
  OpCases all;
  const auto add = [&](const Shape& x, const Shape& weight, const Shape& routing,
                       std::int64_t groups) {
    all.push_back({"cond_conv2d",
                   [=](const Vars& v) {
                     return cond_conv2d(v[0], v[1], v[2], v[3], {.padding = 1, .groups = groups});
                   },
                   {random(x, 1), random(weight, 2), random(routing, 3), random({4}, 4)},
                   1e-4});
  };
  for (const std::int64_t groups : {1, 2, 4})
    add({3, 4, 3, 4}, {2, 4, 3, 3, 4 / groups}, {3, 2}, groups);
  add({2, 5, 4, 6}, {3, 4, 3, 3, 3}, {2, 3}, 2);
  return all;
}

}  // namespace pliant::test
