// What ops do with integers, as cases.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct IntegerCase {
  std::string name;
  std::function<Var(const Var&, const Var&)> f;  // of int64 [5 70] and [70]
};

// Whole numbers worked on and back as floating ones, so that no bit is lost.
inline OpCases integer_cases(const std::vector<IntegerCase>& cases) {
  OpCases all;
  for (const IntegerCase& c : cases)
    all.push_back({c.name,
                   [f = c.f](const Vars& v) {
                     const Var a = convert(widened(v[0]) * 100.0, DType::int64),
                               b = convert(widened(v[1]) * 9.0, DType::int64);
                     const bool wide = v[0].dtype() == DType::float64;
                     return convert(f(a, b), wide ? DType::float64 : DType::float32);
                   },
                   {random({5, 70}, 1), random({70}, 2, 1, 2)}});
  return without_gradient(all);
}

}  // namespace pliant::test
