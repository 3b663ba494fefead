#pragma once

#include <pliant/autograd/ops/rms_norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases rms_norm_cases() {
  OpCases all;
  const auto norm = [](const Vars& v) {
    return rms_norm(v[0], v.size() == 2 ? v[1] : Var(), {.eps = 1e-3});
  };
  for (const Shape& shape : {Shape{5}, {3, 2}, {2, 3, 17}, {0, 4}, {2, 1}, {70, 3}})
    all.push_back({"rms_norm", norm, {random(shape, 1), random({shape.back()}, 2)}, 2e-4});
  all.push_back({"rms_norm without weight", norm, {random({4, 6}, 1)}, 2e-4});
  return all;
}

}  // namespace pliant::test
