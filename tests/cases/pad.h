// Cases of padding by every mode.
#pragma once

#include <vector>

#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<OpCase> pad_cases() {
  using Sides = std::vector<std::int64_t>;
  std::vector<OpCase> all;
  const auto add = [&](const Shape& shape, const Sides& before, const Sides& after) {
    for (const PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular})
      all.push_back({"pad by a mode",
                     [=](const Vars& v) { return pad(v[0], before, after, mode); },
                     {random(shape, 1)}});
    all.push_back(
        {"pad", [=](const Vars& v) { return pad(v[0], before, after, 0.5); }, {random(shape, 1)}});
  };
  add({5}, {4}, {3});
  add({2, 4, 5, 3}, {0, 1, 2, 0}, {0, 3, 4, 0});
  add({3, 4}, {-1, 2}, {2, -3});
  add({4, 6}, {-1, -2}, {-2, 0});
  add({0, 3}, {0, 1}, {0, 2});
  return all;
}

}  // namespace pliant::test
