// Cases of normalisation along the last axis.
#pragma once

#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCase layer_norm_case(const Shape& x) {
  return {"layer_norm",
          [](const Vars& v) { return layer_norm(v[0], v[1], v[2]); },
          {random(x, 1), random({x.back()}, 2), random({x.back()}, 3)},
          2e-3};
}

inline OpCases layer_norm_cases() {
  OpCases all;
  for (const Shape& shape : {Shape{5}, Shape{3, 2}, Shape{2, 3, 4, 17}, Shape{7, 33}, Shape{0, 4},
                             Shape{2, 1}, Shape{3, 5, 37}})
    all.push_back(layer_norm_case(shape));
  return joined({all, without_differences({layer_norm_case({1500, 37})})});
}

}  // namespace pliant::test
