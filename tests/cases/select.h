// Cases of elements chosen by a mask, and put by index.
#pragma once

#include <vector>

#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/select.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<OpCase> select_cases() {
  const Tensor mask = gt(random({3, 4}, 7), 0.0), row = gt(random({4}, 8), 0.0);
  return {
      {"masked_select",
       [=](const Vars& v) { return masked_select(v[0], mask); },
       {random({3, 4}, 1)}},
      {"masked_select, broadcast",
       [=](const Vars& v) { return masked_select(v[0], mask); },
       {random({2, 1, 4}, 1)}},
      {"masked_fill",
       [=](const Vars& v) { return masked_fill(v[0], row, -2.0); },
       {random({3, 4}, 1)}},
  };
}

inline std::vector<OpCase> scatter_cases() {
  const Tensor index = Tensor::from<std::int64_t>({4, 0, 4, 2, 1, 2, 0, 0, 0}, {3, 3});
  const Tensor two = Tensor::from<std::int64_t>({3, 1, 3}, {3});
  std::vector<OpCase> all;
  all.push_back({"scatter, along the last axis",
                 [=](const Vars& v) { return scatter(v[0], 1, index, v[1]); },
                 {random({3, 5}, 1), random({3, 3}, 2)}});
  all.push_back({"scatter, along the first axis",
                 [=](const Vars& v) { return scatter(v[0], 0, index, v[1]); },
                 {random({5, 3}, 1), random({3, 3}, 2)}});
  for (const int axis : {0, 1, -1}) {
    Shape part{4, 4, 4};
    part[part.axis(axis, "case")] = 3;
    all.push_back({"index_copy",
                   [=](const Vars& v) { return index_copy(v[0], axis, two, v[1]); },
                   {random({4, 4, 4}, 1), random(part, 2)}});
    all.push_back({"index_add",
                   [=](const Vars& v) { return index_add(v[0], axis, two, v[1]); },
                   {random({4, 4, 4}, 1), random(part, 2)}});
  }
  return all;
}

}  // namespace pliant::test
