#pragma once

#include <vector>

#include <pliant/autograd/ops/conv1d.h>
#include <pliant/autograd/ops/rms_norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<OpCase> sequence_cases() {
  std::vector<OpCase> all;
  const auto norm = [](const Vars& v) {
    return rms_norm(v[0], v.size() == 2 ? v[1] : Var(), {.eps = 1e-3});
  };
  for (const Shape& shape : {Shape{5}, {3, 2}, {2, 3, 17}, {0, 4}, {2, 1}, {70, 3}})
    all.push_back({"rms_norm", norm, {random(shape, 1), random({shape.back()}, 2)}, 2e-4});
  all.push_back({"rms_norm without weight", norm, {random({4, 6}, 1)}, 2e-4});
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
