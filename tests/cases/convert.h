// Cases of other dtypes.
#pragma once

#include <pliant/autograd/ops/convert.h>
#include <pliant/tests/integer_case.h>

namespace pliant::test {

inline OpCases convert_cases() {
  return joined(
      {{{"convert, there and back",
         [](const Vars& v) { return convert(convert(v[0], DType::float64), v[0].dtype()); },
         {random({3, 7}, 1)}},
        {"convert of nothing",
         [](const Vars& v) { return convert(convert(v[0], DType::float64), v[0].dtype()); },
         {random({0, 7}, 1)}}},
       integer_cases({{"integers: to int32 and back", [](const Var& a, const Var&) {
                         return convert(convert(a, DType::int32), DType::int64);
                       }}})});
}

}  // namespace pliant::test
