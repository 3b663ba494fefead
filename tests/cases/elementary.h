// Cases of elementary functions.
#pragma once

#include <limits>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/tests/scalar_function.h>

namespace pliant::test {

inline const std::vector<ScalarFunction>& elementary_functions() {
  static const std::vector<ScalarFunction> all = {
      {"log1p", [](const Var& x) { return log1p(x); }, [](double x) { return std::log1p(x); },
       -0.8},
      {"expm1", [](const Var& x) { return expm1(x); }, [](double x) { return std::expm1(x); }},
      {"sin", [](const Var& x) { return sin(x); }, [](double x) { return std::sin(x); }, -9, 9},
      {"cos", [](const Var& x) { return cos(x); }, [](double x) { return std::cos(x); }, -9, 9},
      {"erf", [](const Var& x) { return erf(x); }, [](double x) { return std::erf(x); }},
      {"floor",
       [](const Var& x) { return floor(x); },
       [](double x) { return std::floor(x); },
       -3,
       3,
       {-3, -2, -1, 0, 1, 2}},
      {"ceil",
       [](const Var& x) { return ceil(x); },
       [](double x) { return std::ceil(x); },
       -3,
       3,
       {-3, -2, -1, 0, 1, 2}},
      {"round",
       [](const Var& x) { return round(x); },
       [](double x) { return std::nearbyint(x); },
       -3,
       3,
       {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}},
      {"sign",
       [](const Var& x) { return sign(x); },
       [](double x) { return x > 0 ? 1 : -1; },
       -3,
       3,
       {0}},
      {"exp", [](const Var& x) { return exp(x); }, [](double x) { return std::exp(x); }},
      {"log", [](const Var& x) { return log(x); }, [](double x) { return std::log(x); }, 0.1, 3},
      {"sqrt", [](const Var& x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.1},
      {"rsqrt", [](const Var& x) { return rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); },
       0.3},
      {"square", [](const Var& x) { return square(x); }, [](double x) { return x * x; }},
      {"pow 2", [](const Var& x) { return pow(x, 2); }, [](double x) { return x * x; }},
      {"pow 3", [](const Var& x) { return pow(x, 3); }, [](double x) { return x * x * x; }},
      {"pow 0", [](const Var& x) { return pow(x, 0); }, [](double) { return 1; }},
      {"pow 1.7", [](const Var& x) { return pow(x, 1.7); },
       [](double x) { return std::pow(x, 1.7); }, 0.1},
      {"pow -0.5", [](const Var& x) { return pow(x, -0.5); },
       [](double x) { return 1 / std::sqrt(x); }, 0.3},
      {"abs",
       [](const Var& x) { return abs(x); },
       [](double x) { return std::fabs(x); },
       -3,
       3,
       {0}},
      {"clamp",
       [](const Var& x) { return clamp(x, -1, 0.5); },
       [](double x) { return std::fmin(std::fmax(x, -1), 0.5); },
       -3,
       3,
       {-1, 0.5}},
      {"clamp below",
       [](const Var& x) { return clamp(x, 0.25, std::numeric_limits<double>::infinity()); },
       [](double x) { return std::fmax(x, 0.25); },
       -3,
       3,
       {0.25}},
  };
  return all;
}

inline OpCases elementary_cases() {
  OpCases all = function_cases(elementary_functions());
  all.push_back({"clamp by tensors",
                 [](const Vars& v) { return clamp(v[0], v[1], v[2]); },
                 {random({5, 4}, 1), random({4}, 2, -0.9, -0.2), random({5, 1}, 3, 0.1, 0.8)}});
  all.push_back({"clamp from below",
                 [](const Vars& v) { return clamp(v[0], v[1], {}); },
                 {random({5, 4}, 1), random({4}, 2)}});
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 4}, {3, 4}}, {{2, 3, 4}, {4}}, {{1, 4}, {3, 1}}, {{}, {5}}, {{7}, {}}, {{0, 3}, {3}}};
  for (const auto& [a, b] : shapes)
    all.push_back({"pow of two tensors",
                   [](const Vars& v) { return pow(v[0], v[1]); },
                   {random(a, 1, 0.2, 2), random(b, 2, -2, 2)},
                   2e-4});
  return all;
}

}  // namespace pliant::test
