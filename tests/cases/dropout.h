// Cases of dropout.
#pragma once

#include <pliant/autograd/ops/dropout.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases dropout_cases() {
  OpCases all, large;
  const auto add = [](OpCases& to, const Shape& shape, double rate) {
    to.push_back({"dropout",
                  [=](const Vars& v) { return dropout(v[0], rate, Rng(5)); },
                  {random(shape, 1)}});
  };
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 3, 5, 3}, Shape{0, 3}})
    add(all, shape, 0.4);
  for (const std::int64_t n : {1000, 1001, 3})
    for (const double rate : {0.0, 0.3, 1.0}) add(large, {n}, rate);
  add(large, {5, 31, 37, 11}, 0.3);
  return joined({all, without_differences(large),
                 without_gradient({{"dropout of a slice that begins anywhere",
                                    [](const Vars& v) {
                                      return Var(dropout(v[0].value().slice(1, 334), 0.3, Rng(7)));
                                    },
                                    {random({334, 3}, 1)}}})});
}

}  // namespace pliant::test
