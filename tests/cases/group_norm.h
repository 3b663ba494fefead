// Cases of normalisation by groups of channels.
#pragma once

#include <pliant/autograd/ops/group_norm.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct GroupNormCase {
  Shape x;
  std::int64_t groups;
};

inline const std::vector<GroupNormCase>& group_norm_shapes() {
  static const std::vector<GroupNormCase> all = {
      {{2, 3, 4, 6}, 1}, {{2, 3, 4, 6}, 2}, {{1, 5, 3, 20}, 4},
      {{3, 2, 2, 5}, 5}, {{2, 1, 1, 6}, 3}, {{7, 6}, 2},
      {{2, 9, 8, 1}, 1}, {{1, 23, 3}, 3},   {{2, 3, 260}, 2}};
  return all;
}

// Of more than one task, and of some rounds of joining.
inline const std::vector<GroupNormCase>& large_group_norm_shapes() {
  static const std::vector<GroupNormCase> all = {
      {{2, 71, 67, 12}, 4}, {{3, 40, 31, 3}, 1}, {{1, 30, 17, 320}, 4}, {{3, 67, 71, 4}, 2}};
  return all;
}

inline OpCase group_norm_case(const GroupNormCase& c, double low, double high) {
  const std::int64_t channels = c.x.back();
  return {"group_norm",
          [groups = c.groups](const Vars& v) { return group_norm(v[0], groups, v[1], v[2]); },
          {random(c.x, 1, low, high), random({channels}, 2), random({channels}, 3)},
          1e-4};
}

inline OpCases group_norm_cases() {
  OpCases all, large;
  for (const GroupNormCase& c : group_norm_shapes()) all.push_back(group_norm_case(c, -1, 1));
  all.push_back(group_norm_case({{0, 3, 3, 4}, 2}, -1, 1));
  for (const GroupNormCase& c : large_group_norm_shapes())
    large.push_back(group_norm_case(c, 99, 101));
  for (const std::int64_t groups : {1, 2, 6})
    large.push_back(group_norm_case({{2, 5, 4, 6}, groups}, 9, 13));
  large.push_back(group_norm_case({{3, 67, 71, 4}, 2}, 9, 13));
  large.push_back(group_norm_case({{5, 12}, 3}, 9, 13));
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
