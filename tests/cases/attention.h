#pragma once

#include <pliant/autograd/ops/attention.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases attention_cases() {
  OpCases all;
  const auto add = [&](const char* name, const std::vector<Tensor>& inputs,
                       const AttentionOptions& options = {}) {
    all.push_back({std::string("attention") + name,
                   [=](const Vars& v) {
                     AttentionOptions given = options;
                     if (given.mask.defined()) given.mask = given.mask.to(v[0].device());
                     if (v.size() == 4) given.bias = v[3];
                     return scaled_dot_product_attention(v[0], v[1], v[2], given);
                   },
                   inputs});
  };
  const std::vector<Tensor> few = {random({2, 3, 4}, 1), random({2, 5, 4}, 2),
                                   random({2, 5, 3}, 3)};
  const auto with_bias = [&](const Shape& shape) {
    std::vector<Tensor> inputs = few;
    inputs.push_back(random(shape, 4));
    return inputs;
  };
  add("", few);
  add(", scaled", few, {.scale = 0.3});
  add(", causal", few, {.causal = true});
  add(", causal with more queries than keys",
      {random({2, 5, 2}, 1), random({2, 3, 2}, 2), random({2, 3, 2}, 3)}, {.causal = true});
  const Tensor mask = gt(random({3, 5}, 5), -0.3);
  add(", masked", few, {.mask = mask});
  add(", masked and causal", few, {.mask = mask, .causal = true});
  add(", padded", few, {.mask = gt(random({2, 1, 5}, 8), -0.5).to(DType::uint8)});
  add(", a row of nothing", few,
      {.mask = Tensor::from(
           {1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0}, {3, 5})});
  add(", biased", with_bias({3, 5}));
  add(", biased by keys", with_bias({2, 1, 5}));
  add(", biased by queries, masked, causal", with_bias({3, 1}), {.mask = mask, .causal = true});
  add(", dropped", with_bias({2, 3, 5}), {.dropout = 0.3, .key = Rng(7)});
  add(", broadcast", {random({2, 1, 3, 2}, 1), random({3, 4, 2}, 2), random({4, 2}, 3)});
  add(" of one matrix", {random({3, 2}, 1), random({4, 2}, 2), random({4, 1}, 3)});
  add(" over blocks", {random({1, 50, 3}, 1), random({1, 70, 3}, 2), random({1, 70, 2}, 3)},
      {.causal = true});
  return all;
}

}  // namespace pliant::test
