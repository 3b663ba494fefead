// Cases of products of matrices, and of linear.
#pragma once

#include <pliant/autograd/ops/matmul.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct MatmulCase {
  const char* name;
  Shape a, b, y;
};

inline const std::vector<MatmulCase>& matmul_shapes() {
  static const std::vector<MatmulCase> all = {
      {"matrices", {3, 4}, {4, 5}, {3, 5}},
      {"1 by 1", {1, 1}, {1, 1}, {1, 1}},
      {"vectors", {5}, {5}, {}},
      {"row times matrix", {4}, {4, 3}, {3}},
      {"matrix times column", {3, 4}, {4}, {3}},
      {"row times a batch", {4}, {2, 3, 4, 5}, {2, 3, 5}},
      {"a batch times column", {2, 3, 4, 5}, {5}, {2, 3, 4}},
      {"a batch", {3, 2, 5}, {3, 5, 4}, {3, 2, 4}},
      {"a batch of batches", {2, 3, 2, 5}, {2, 3, 5, 4}, {2, 3, 2, 4}},
      {"one right matrix for all", {2, 3, 4, 5}, {5, 7}, {2, 3, 4, 7}},
      {"one right matrix, of higher rank", {3, 4, 5}, {1, 1, 5, 2}, {1, 3, 4, 2}},
      {"one left matrix for all", {4, 5}, {3, 5, 2}, {3, 4, 2}},
      {"both stretched", {2, 1, 3, 4}, {5, 4, 2}, {2, 5, 3, 2}},
      {"left stretched", {1, 3, 3, 4}, {2, 3, 4, 2}, {2, 3, 3, 2}},
      {"many small ones", {67, 2, 3}, {67, 3, 5}, {67, 2, 5}},
      {"nothing to sum", {2, 3, 0}, {2, 0, 4}, {2, 3, 4}},
      {"empty batch", {0, 3, 4}, {0, 4, 2}, {0, 3, 2}},
      {"empty batch, one left matrix", {3, 4}, {0, 4, 2}, {0, 3, 2}},
      {"empty batch, stretched", {2, 0, 3, 4}, {2, 1, 4, 2}, {2, 0, 3, 2}},
      {"no rows", {0, 4}, {4, 3}, {0, 3}},
  };
  return all;
}

inline OpCase matmul_case(const char* name, const Shape& a, const Shape& b) {
  return {name, [](const Vars& v) { return matmul(v[0], v[1]); }, {random(a, 1), random(b, 2)}};
}

// [F] bias if `with_bias`.
inline OpCase linear_case(const Shape& x, const Shape& weight, bool with_bias,
                          Activation activation) {
  std::vector<Tensor> inputs = {random(x, 1), random(weight, 2)};
  if (with_bias) inputs.push_back(random({weight[0]}, 3));
  return {activation == Activation::relu ? "linear and ReLU" : "linear",
          [=](const Vars& v) { return linear(v[0], v[1], with_bias ? v[2] : Var(), activation); },
          inputs};
}

inline OpCases matmul_cases() {
  OpCases all;
  for (const MatmulCase& c : matmul_shapes()) all.push_back(matmul_case(c.name, c.a, c.b));
  const std::vector<std::pair<Shape, Shape>> layers = {
      {{6, 5}, {7, 5}},   {{2, 3, 16}, {33, 16}}, {{1, 1}, {1, 1}}, {{0, 4}, {3, 4}},
      {{6, 16}, {8, 16}}, {{5, 3}, {7, 3}},       {{3, 0}, {8, 0}}, {{2, 3, 4}, {7, 4}}};
  for (const auto& [x, weight] : layers)
    for (const bool with_bias : {true, false})
      for (const Activation activation : {Activation::none, Activation::relu})
        all.push_back(linear_case(x, weight, with_bias, activation));
  return joined({all, without_differences({matmul_case("larger", {130, 65}, {65, 33}),
                                           matmul_case("batched", {40, 33, 70}, {40, 70, 65}),
                                           matmul_case("stretched", {130, 600}, {3, 600, 17})})});
}

}  // namespace pliant::test
