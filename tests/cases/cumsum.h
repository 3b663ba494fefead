// Cases of running sums.
#pragma once

#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases cumsum_cases() {
  OpCases all, large;
  for (const CumsumFrom from : {CumsumFrom::start, CumsumFrom::end}) {
    for (const int axis : {0, 1, 2}) {
      all.push_back({"cumsum",
                     [=](const Vars& v) { return exp(cumsum(v[0], axis, from)); },
                     {random({2, 3, 2}, 1, -0.5, 0.5)}});
      large.push_back({"cumsum",
                       [=](const Vars& v) { return cumsum(v[0], axis, from); },
                       {random({5, 37, 3}, 1)}});
    }
    for (const Shape& shape : {Shape{3, 700}, Shape{3, 5, 700}})
      large.push_back({"cumsum of long lines",
                       [=](const Vars& v) { return cumsum(v[0], 1, from); },
                       {random(shape, 1)}});
  }
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
