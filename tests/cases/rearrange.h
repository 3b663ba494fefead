// Cases of elements moved elsewhere.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases rearrange_cases() {
  OpCases all = {
      {"split", [](const Vars& v) { return split(v[0], 3, 1)[1] * 2.0; }, {random({2, 5}, 1)}},
      {"split, every part",
       [](const Vars& v) {
         const Vars of = split(v[0], {2, 0, 1, 2}, 1);
         return concat({of[3] * of[0], of[2] * of[2] * of[3], of[1]}, 1);
       },
       {random({2, 5}, 1)}},
      {"repeat",
       [](const Vars& v) {
         return repeat(v[0], {2, 1, 3});
       },
       {random({2, 3}, 1)}},
      {"roll", [](const Vars& v) { return roll(v[0], 4, 1); }, {random({2, 3}, 1)}},
      {"tril", [](const Vars& v) { return tril(v[0], -1); }, {random({2, 4, 3}, 1)}},
      {"triu", [](const Vars& v) { return triu(v[0], 1); }, {random({2, 4, 3}, 1)}},
      {"pixel_shuffle",
       [](const Vars& v) { return pixel_shuffle(v[0], 2); },
       {random({1, 2, 3, 4}, 1)}},
      {"pixel_unshuffle",
       [](const Vars& v) { return pixel_unshuffle(v[0], 2); },
       {random({1, 4, 2, 3}, 1)}},
  };
  for (const int axis : {0, 1, 2})
    all.push_back({"index_select",
                   [axis](const Vars& v) {
                     return index_select(v[0], axis,
                                         beside(v[0], Tensor::from<std::int64_t>({1, 0, 1}, {3})));
                   },
                   {random({2, 3, 2}, 1)}});
  return all;
}

}  // namespace pliant::test
