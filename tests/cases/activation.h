// Cases of activations.
#pragma once

#include <pliant/autograd/ops/activation.h>
#include <pliant/tests/scalar_function.h>

namespace pliant::test {

inline const std::vector<ScalarFunction>& activations() {
  static const std::vector<ScalarFunction> all = {
      {"relu",
       [](const Var& x) { return relu(x); },
       [](double x) { return x > 0 ? x : 0; },
       -3,
       3,
       {0}},
      {"leaky_relu",
       [](const Var& x) { return leaky_relu(x, 0.2); },
       [](double x) { return x > 0 ? x : 0.2 * x; },
       -3,
       3,
       {0}},
      {"sigmoid", [](const Var& x) { return sigmoid(x); },
       [](double x) { return 0.5 + 0.5 * std::tanh(x / 2); }},
      {"tanh", [](const Var& x) { return tanh(x); }, [](double x) { return std::tanh(x); }},
      {"silu", [](const Var& x) { return silu(x); },
       [](double x) { return x / (1 + std::exp(-x)); }},
      {"gelu", [](const Var& x) { return gelu(x); },
       [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }},
      {"gelu_tanh", [](const Var& x) { return gelu_tanh(x); },
       [](double x) {
         return x / 2 *
                (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
       }},
      {"mish",
       [](const Var& x) { return mish(x); },
       [](double x) { return x * std::tanh(std::log1p(std::exp(x))); },
       -3,
       3,
       {0}},
      {"hardswish",
       [](const Var& x) { return hardswish(x); },
       [](double x) { return x * std::fmin(std::fmax(x + 3, 0), 6) / 6; },
       -4,
       4,
       {-3, 3}},
      {"softplus",
       [](const Var& x) { return softplus(x); },
       [](double x) { return std::log(1 + std::exp(x)); },
       -3,
       3,
       {0}},
  };
  return all;
}

inline OpCases activation_cases() {
  const Tensor far = Tensor::from({-2.0, -0.5, 0.25, 1.0, 3.0, -30.0, 30.0}, {7});
  return joined(
      {function_cases(activations()),
       {
           {"relu", [](const Vars& v) { return relu(v[0]); }, {far}},
           {"sigmoid", [](const Vars& v) { return sigmoid(v[0]); }, {far}},
           {"gelu", [](const Vars& v) { return gelu(v[0]); }, {random({3, 7}, 1, -4, 4)}},
           {"gelu of nothing", [](const Vars& v) { return gelu(v[0]); }, {random({0, 7}, 1)}},
           {"gelu of many",
            [](const Vars& v) { return gelu(v[0]); },
            {random({7, 33}, 1, -5.0, 5.0)}},
       },
       without_differences({{"sigmoid of more than a grid row",
                             [](const Vars& v) { return sigmoid(v[0]); },
                             {random({70001}, 3)}}})});
}

}  // namespace pliant::test
