// Cases of pooling.
#pragma once

#include <algorithm>

#include <pliant/autograd/ops/pool2d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// Distinct values, far apart, in a random order: no step of a gradcheck changes who is largest.
inline Tensor shuffled(const Shape& shape, std::uint64_t seed) {
  const std::vector<double> key = random(shape, seed).to_vector();
  std::vector<double> sorted = key, value = key;
  std::sort(sorted.begin(), sorted.end());
  for (double& v : value)
    v = 0.01 *
        static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), v) - sorted.begin());
  return Tensor::from(value, shape);
}

struct MaxPoolCase {
  Shape x;
  MaxPoolOptions options;
  std::int64_t p, q;
};

inline const std::vector<MaxPoolCase>& max_pool2d_shapes() {
  static const std::vector<MaxPoolCase> all = {
      {{1, 1, 1, 3}, {.kernel = 1, .stride = 1}, 1, 1},
      {{2, 5, 7, 3}, {}, 2, 3},
      {{3, 4, 5, 17}, {.kernel = 3, .stride = 1, .padding = 1}, 4, 5},
      {{1, 7, 8, 2}, {.kernel = 3, .stride = 2, .padding = 1}, 4, 4},
      {{2, 6, 7, 5}, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}}, 3, 6},
      {{1, 8, 7, 2}, {.kernel = 3, .stride = 1, .padding = 1, .dilation = 2}, 6, 5},
      {{1, 5, 5, 2}, {.kernel = 2, .stride = 3}, 2, 2},  // rows that no window reads
      {{1, 5, 6, 3}, {.kernel = 5, .stride = 1, .padding = {2, 0, 1, 2}}, 3, 5},  // many taps
      {{1, 5, 6, 3}, {.rounding = Rounding::up}, 3, 3},
      {{2, 7, 10, 2}, {.kernel = 3, .stride = 3, .padding = 1, .rounding = Rounding::up}, 3, 4},
      {{1, 6, 5, 1}, {.kernel = 1, .stride = 4, .rounding = Rounding::up}, 2, 2},
      {{0, 4, 4, 2}, {}, 2, 2}};
  return all;
}

struct AvgPoolCase {
  Shape x;
  AvgPoolOptions options;
  std::int64_t p, q;
};

inline const std::vector<AvgPoolCase>& avg_pool2d_shapes() {
  static const std::vector<AvgPoolCase> all = {
      {{1, 1, 1, 3}, {.kernel = 1, .stride = 1}, 1, 1},
      {{2, 5, 7, 3}, {}, 2, 3},
      {{3, 4, 5, 17}, {.kernel = 3, .stride = 1, .padding = 1}, 4, 5},
      {{2, 6, 7, 5}, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}}, 3, 6},
      {{1, 5, 5, 2}, {.kernel = 2, .stride = 3}, 2, 2},  // rows that no window reads
      {{1, 5, 6, 3}, {.kernel = 5, .stride = 1, .padding = {2, 0, 1, 2}}, 3, 5},
      {{1, 5, 6, 3}, {.rounding = Rounding::up}, 3, 3},
      {{2, 7, 10, 1}, {.kernel = 3, .stride = 3, .padding = 1, .rounding = Rounding::up}, 3, 4},
      {{1, 8, 9, 2},
       {.kernel = 4, .stride = 2, .padding = {1, 2, 2, 0}, .rounding = Rounding::up},
       5,
       5},
      {{0, 4, 4, 2}, {}, 2, 2}};
  return all;
}

inline const std::vector<std::pair<Shape, Size2>>& adaptive_pool2d_shapes() {
  static const std::vector<std::pair<Shape, Size2>> all = {
      {{2, 7, 5, 3}, {3, 2}}, {{1, 4, 6, 2}, {4, 6}}, {{1, 3, 2, 5}, {7, 5}},   {{2, 5, 4, 1}, 1},
      {{1, 1, 1, 3}, {2, 3}}, {{0, 4, 4, 2}, 2},      {{1, 13, 11, 17}, {6, 7}}};
  return all;
}

inline OpCase max_pool2d_case(const Tensor& x, const MaxPoolOptions& options,
                              const char* name = "max_pool2d") {
  return {name, [=](const Vars& v) { return max_pool2d(v[0], options); }, {x}};
}

inline OpCase avg_pool2d_case(const Shape& x, const AvgPoolOptions& options) {
  return {"avg_pool2d", [=](const Vars& v) { return avg_pool2d(v[0], options); }, {random(x, 1)}};
}

inline OpCase adaptive_avg_pool2d_case(const Shape& x, Size2 size) {
  return {"adaptive_avg_pool2d",
          [=](const Vars& v) { return adaptive_avg_pool2d(v[0], size); },
          {random(x, 1)}};
}

inline OpCase adaptive_max_pool2d_case(const Shape& x, Size2 size) {
  return {"adaptive_max_pool2d",
          [=](const Vars& v) { return adaptive_max_pool2d(v[0], size); },
          {random(x, 1)}};
}

// Short and long windows, of more than one task.
inline OpCases large_max_pool2d_cases() {
  return without_differences(
      {max_pool2d_case(random({3, 57, 61, 16}, 2), {.kernel = 3, .stride = 2, .padding = 1}),
       max_pool2d_case(random({1, 101, 64, 8}, 2), {.kernel = 3, .stride = 1, .padding = 1}),
       max_pool2d_case(random({2, 67, 71, 5}, 2), {.kernel = 5, .stride = 1, .padding = 2})});
}

inline OpCases max_pool2d_cases() {
  OpCases all;
  for (const MaxPoolCase& c : max_pool2d_shapes())
    all.push_back(max_pool2d_case(shuffled(c.x, 1), c.options));
  return joined(
      {all, large_max_pool2d_cases(),
       without_differences(
           {max_pool2d_case(random({2, 6, 5, 3}, 1), {}),
            max_pool2d_case(random({2, 7, 6, 4}, 1), {.kernel = 3, .stride = 2, .padding = 1},
                            "max_pool2d, overlapping"),
            max_pool2d_case(
                random({1, 8, 9, 2}, 1),
                {.kernel = {2, 3}, .stride = 1, .padding = {1, 0, 0, 1}, .dilation = 2}),
            max_pool2d_case(random({0, 6, 6, 3}, 1), {})})});
}

inline OpCases pool2d_cases() {
  OpCases all = max_pool2d_cases(), large;
  for (AvgPoolCase c : avg_pool2d_shapes())
    for (const bool include : {true, false}) {
      c.options.count_include_pad = include;
      all.push_back(avg_pool2d_case(c.x, c.options));
    }
  for (const auto& [shape, size] : adaptive_pool2d_shapes())
    all.push_back(adaptive_avg_pool2d_case(shape, size));
  for (const Shape& shape : {Shape{1, 1, 1, 3}, Shape{2, 3, 4, 5}, Shape{3, 7, 5, 17},
                             Shape{0, 2, 2, 4}, Shape{2, 7, 7, 5}})
    all.push_back({"global_avg_pool2d",
                   [](const Vars& v) { return global_avg_pool2d(v[0]); },
                   {random(shape, 4)}});
  for (const Size2 size : {Size2(3, 2), Size2(1), Size2(7, 6), Size2(9, 4), Size2(3, 4)})
    for (const std::int64_t c : {1, 5, 8})
      all.push_back(adaptive_max_pool2d_case({2, 7, 6, c}, size));
  all.push_back(adaptive_max_pool2d_case({0, 7, 6, 3}, 2));
  for (const std::int64_t c : {8, 5}) {  // channels that threads take in vectors, and one by one
    large.push_back(avg_pool2d_case({2, 7, 6, c}, {}));
    large.push_back(
        avg_pool2d_case({2, 7, 6, c}, {.kernel = 3, .stride = 2, .padding = {1, 0, 0, 1}}));
    large.push_back(avg_pool2d_case({2, 7, 6, c}, {.kernel = {3, 2},
                                                   .stride = 2,
                                                   .padding = 1,
                                                   .count_include_pad = false,
                                                   .rounding = Rounding::up}));
    for (const Size2 size : {Size2(3, 2), Size2(1), Size2(9, 13)})
      large.push_back(adaptive_avg_pool2d_case({2, 7, 6, c}, size));
  }
  large.push_back(avg_pool2d_case({3, 57, 61, 16}, {.kernel = 3, .stride = 2, .padding = 1}));
  large.push_back(adaptive_avg_pool2d_case({3, 57, 61, 16}, {13, 7}));
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
