// Cases of softmax and its logarithms.
#pragma once

#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline const std::vector<Shape>& softmax_shapes() {
  static const std::vector<Shape> all = {{7},       {1},       {3, 5},       {1, 1},
                                         {2, 3, 4}, {2, 0, 3}, {2, 3, 1, 5}, {7, 33}};
  return all;
}

inline OpCases softmax_cases() {
  OpCases all;
  for (const Shape& shape : softmax_shapes())
    for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
      const Tensor x = random(shape, 1, -3, 3);
      all.push_back({"softmax", [=](const Vars& v) { return softmax(v[0], axis); }, {x}});
      all.push_back({"log_softmax", [=](const Vars& v) { return log_softmax(v[0], axis); }, {x}});
    }
  all.push_back({"logsumexp",
                 [](const Vars& v) {
                   return logsumexp(v[0], {0, 2});
                 },
                 {random({3, 2, 4}, 1, -3, 3)}});
  return joined({all, without_differences({{"softmax of many",
                                            [](const Vars& v) { return softmax(v[0], 1); },
                                            {random({3, 41, 431}, 2)}}})});
}

}  // namespace pliant::test
