// What tests of whole nets have in common.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <pliant/layers/module.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline Tensor images(const Shape& shape) { return random(shape, 7, -1, 1, DType::float32); }

inline bool has(const Module& net, const std::string& path) {
  const std::vector<Parameter> all = net.parameters();
  return std::any_of(all.begin(), all.end(),
                     [&](const Parameter& parameter) { return parameter.name() == path; });
}

}  // namespace pliant::test
