// Cases of other dtypes.
#pragma once

#include <pliant/autograd/ops/convert.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases convert_cases() {
  return {{"convert, there and back",
           [](const Vars& v) { return convert(convert(v[0], DType::float64), v[0].dtype()); },
           {random({3, 7}, 1)}},
          {"convert of nothing",
           [](const Vars& v) { return convert(convert(v[0], DType::float64), v[0].dtype()); },
           {random({0, 7}, 1)}}};
}

}  // namespace pliant::test
