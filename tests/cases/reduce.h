// Cases of sums, means, extremes and their places along axes.
#pragma once

#include <limits>

#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline const std::vector<std::vector<int>>& axis_sets() {
  static const std::vector<std::vector<int>> all = {
      {0}, {1}, {-1}, {0, 2}, {0, 1, 2, 3}, {1, 3}, {}, {-2, 0}, {0, 1, 3}, {3, 2}, {2, 1}, {0, 3}};
  return all;
}

inline OpCase sum_case(const char* name, const std::vector<int>& axes, const Shape& shape) {
  return {name, [=](const Vars& v) { return sum(v[0], axes); }, {random(shape, 2)}};
}

// Of more elements than a task or a thread of a GPU takes, cut in every way.
inline OpCases large_reduce_cases() {
  return without_differences(
      {sum_case("sum of all", {0, 1}, {9, 11}),
       sum_case("sum of many neighbours", {0}, {200003}),
       sum_case("sum along rows", {1}, {5, 3001}),
       sum_case("sum along many rows", {1}, {65, 700}),
       sum_case("sum of columns", {0}, {3001, 5}),
       sum_case("sum of a middle axis", {1}, {3, 129, 67}),
       sum_case("sum of wide columns", {0}, {65, 300}),
       sum_case("sum of no rows", {0}, {0, 4}),
       sum_case("sum to no columns", {0}, {4, 0}),
       {"mean",
        [](const Vars& v) {
          return mean(v[0], {1, 2});
        },
        {random({2, 14, 14, 33}, 5)}},
       {"max", [](const Vars& v) { return max(v[0], {0}); }, {random({70001, 3}, 4)}},
       {"min", [](const Vars& v) { return min(v[0]); }, {random({200003}, 5)}},
       {"variance",
        [](const Vars& v) { return variance(v[0], {0}); },
        {random({7, 33}, 1, -3, 3)}}});
}

inline OpCases argmax_cases() {
  Tensor ties = random({7, 300, 3}, 5);
  for (const std::int64_t at : {31, 32, 899})
    ties.mutable_data<double>()[at] = std::numeric_limits<double>::quiet_NaN();
  for (const std::int64_t at : {1000, 1300, 1600}) ties.mutable_data<double>()[at] = 2.0;
  const auto argmax_over = [](int axis) {
    return [axis](const Vars& v) { return Var(argmax(v[0], axis)); };
  };
  return joined(
      {without_gradient({{"argmax, ties and NaN", argmax_over(1), {ties}},
                         {"argmax of the last axis", argmax_over(2), {ties}},
                         {"argmax of long rows", argmax_over(1), {ties.reshape({3, 2100})}}}),
       integer_cases(
           {{"integers: sums over axes",
             [](const Var& a, const Var&) { return sum(a, {1}) + max(a); }},
            {"integers: places", [](const Var& a, const Var&) { return Var(argmin(a, 0)); }}})});
}

inline OpCases reduce_cases() {
  OpCases all;
  const Tensor x = random({2, 3, 5, 7}, 1), y = random({2, 3, 4, 5}, 7);
  for (const std::vector<int>& axes : axis_sets()) {
    all.push_back({"sum", [=](const Vars& v) { return sum(v[0], axes); }, {y}});
    all.push_back({"mean", [=](const Vars& v) { return mean(v[0], axes, KeepDim::yes); }, {y}});
    for (const KeepDim keep : {KeepDim::no, KeepDim::yes}) {
      all.push_back({"max", [=](const Vars& v) { return max(v[0], axes, keep); }, {x}});
      all.push_back({"min", [=](const Vars& v) { return min(v[0], axes, keep); }, {x}});
    }
    if (axes.empty()) continue;
    for (const double correction : {0.0, 1.0, 1.5})
      all.push_back(
          {"variance",
           [=](const Vars& v) { return variance(v[0], axes, {.correction = correction}); },
           {random({2, 3, 5, 4}, 5)}});
  }
  all.push_back({"mean of a scalar", [](const Vars& v) { return mean(v[0]); }, {random({}, 8)}});
  all.push_back({"max of all", [](const Vars& v) { return max(v[0]); }, {random({1, 1}, 2)}});
  all.push_back({"min of a scalar", [](const Vars& v) { return min(v[0]); }, {random({}, 3)}});
  for (std::int64_t n = 1; n < 10; ++n)
    all.push_back({"prod",
                   [](const Vars& v) { return prod(v[0], -2); },
                   {random({2, n, 3}, 1, 0.5, 2)},
                   2e-4});
  all.push_back({"stddev",
                 [](const Vars& v) { return stddev(v[0], {0}, {.correction = 0}); },
                 {random({4, 5}, 1)},
                 1e-4});
  return joined({all, large_reduce_cases(), argmax_cases()});
}

}  // namespace pliant::test
