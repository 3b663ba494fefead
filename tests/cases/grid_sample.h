// Cases of maps read at places of a grid.
#pragma once

#include <cmath>

#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<GridSampleOptions> grid_sample_options() {
  std::vector<GridSampleOptions> all;
  for (const GridRule rule : {GridRule::bilinear, GridRule::nearest})
    for (const Border border : {Border::zeros, Border::clamp, Border::reflection})
      for (const GridSpan span : {GridSpan::centres, GridSpan::edges})
        all.push_back({rule, border, span});
  return all;
}

// Places that keep away from where the derivative jumps: whole and half pixels of a map of n x m.
inline Tensor grid_of(const Shape& shape, std::uint64_t seed, std::int64_t h, std::int64_t w) {
  Tensor grid = random(shape, seed, -2.5, 2.5);
  double* const to = grid.mutable_data<double>();
  for (std::int64_t k = 0; k < grid.size(); ++k)
    for (int tries = 0; tries < 100; ++tries) {
      const auto n = static_cast<double>(k % 2 == 0 ? w : h);
      const double twice = (to[k] + 1) * n, centred = (to[k] + 1) * (n - 1);
      const auto off = [](double v) { return std::abs(v - std::nearbyint(v)); };
      if (off(twice) > 1e-3 && (n == 1 || off(centred) > 1e-3)) break;
      to[k] += 0.0137;
    }
  return grid;
}

struct GridCase {
  Shape x;
  std::int64_t p, q;

  std::vector<Tensor> inputs() const {
    return {random(x, 1), grid_of({x[0], p, q, 2}, 2, x[1], x[2])};
  }
};

inline const std::vector<GridCase>& grid_sample_shapes() {
  static const std::vector<GridCase> all = {
      {{2, 4, 5, 3}, 3, 4}, {{1, 1, 1, 2}, 2, 3}, {{3, 2, 7, 17}, 1, 2}, {{0, 3, 3, 2}, 2, 2}};
  return all;
}

inline OpCases grid_sample_cases() {
  OpCases all, large;
  for (const GridSampleOptions& options : grid_sample_options()) {
    const auto sample = [=](const Vars& v) { return grid_sample(v[0], v[1], options); };
    for (const GridCase& c : grid_sample_shapes())
      all.push_back({"grid_sample", sample, c.inputs(), 3e-4});
    for (const std::int64_t c : {8, 5})
      large.push_back({c == 8 ? "grid_sample, in vectors" : "grid_sample, one by one",
                       sample,
                       {random({2, 5, 6, c}, 1), random({2, 7, 3, 2}, 2, -1.9, 1.9)}});
  }
  const auto sample = [](const Vars& v) { return grid_sample(v[0], v[1]); };
  large.push_back({"grid_sample of many places",
                   sample,
                   {random({2, 37, 41, 19}, 1), random({2, 53, 47, 2}, 2, -1.2, 1.2)}});
  large.push_back({"grid_sample, many times each pixel",
                   sample,
                   {random({3, 5, 7, 40}, 1), random({3, 24, 24, 2}, 3, -0.2, 0.2)}});
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
