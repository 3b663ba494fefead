// Cases of transposed convolutions.
#pragma once

#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct ConvTransposeCase {
  const char* name;
  Shape x, weight;
  ConvTransposeOptions options;
  Shape y;
};

inline const std::vector<ConvTransposeCase>& conv_transpose2d_shapes() {
  static const std::vector<ConvTransposeCase> all = {
      {"twice the size", {2, 3, 4, 3}, {4, 2, 2, 3}, {.stride = 2}, {2, 6, 8, 4}},
      {"1x1 map", {1, 1, 1, 3}, {2, 4, 3, 3}, {.stride = 4}, {1, 4, 3, 2}},
      {"pointwise", {3, 4, 2, 3}, {2, 1, 1, 3}, {}, {3, 4, 2, 2}},
      {"stride beyond the kernel", {1, 3, 2, 2}, {3, 1, 2, 2}, {.stride = 3}, {1, 7, 5, 3}},
      {"output padding",
       {2, 3, 4, 2},
       {3, 3, 3, 2},
       {.stride = {2, 3}, .padding = 1, .output_padding = {1, 2}},
       {2, 6, 12, 3}},
      {"output padding below the dilation alone",
       {1, 2, 3, 2},
       {1, 2, 2, 2},
       {.output_padding = 1, .dilation = 2},
       {1, 5, 6, 1}},
      {"uneven padding, dilation",
       {1, 4, 5, 1},
       {2, 3, 2, 1},
       {.stride = {1, 2}, .padding = {2, 1, 0, 3}, .dilation = {2, 3}},
       {1, 5, 9, 2}},
      {"groups",
       {2, 3, 4, 4},
       {6, 3, 3, 2},
       {.stride = 2, .padding = 1, .groups = 2},
       {2, 5, 7, 6}},
      {"depthwise", {2, 3, 2, 5}, {5, 3, 3, 1}, {.stride = 2, .groups = 5}, {2, 7, 5, 5}},
      {"depthwise, fewer channels out of it",
       {1, 3, 3, 6},
       {3, 3, 3, 2},
       {.padding = 1, .groups = 3},
       {1, 3, 3, 3}},
      {"padding beyond the kernel", {1, 5, 6, 2}, {2, 2, 2, 2}, {.padding = 2}, {1, 2, 3, 2}},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, {.padding = 1}, {0, 4, 4, 3}},
      {"prime batch, odd channels", {7, 3, 2, 5}, {11, 2, 2, 5}, {}, {7, 4, 3, 11}},
  };
  return all;
}

inline OpCase conv_transpose2d_case(const char* name, const Shape& x, const Shape& weight,
                                    const ConvTransposeOptions& options) {
  return {name,
          [=](const Vars& v) { return conv_transpose2d(v[0], v[1], v[2], options); },
          {random(x, 1), random(weight, 2), random({weight[0]}, 3)},
          1e-4};
}

inline OpCases conv_transpose2d_cases() {
  OpCases all, large;
  for (const ConvTransposeCase& c : conv_transpose2d_shapes())
    all.push_back(conv_transpose2d_case(c.name, c.x, c.weight, c.options));
  all.push_back(conv_transpose2d_case("odd sizes", {2, 3, 4, 5}, {3, 3, 2, 5},
                                      {.stride = 2, .padding = 1, .output_padding = 1}));
  large.push_back(
      conv_transpose2d_case("many", {5, 9, 11, 24}, {17, 3, 3, 24}, {.stride = 2, .padding = 1}));
  for (const std::int64_t c : {8, 5})
    for (const std::int64_t filters : {1, 3})
      large.push_back({"conv_transpose2d, depthwise",
                       [=](const Vars& v) {
                         return conv_transpose2d(v[0], v[1], {},
                                                 {.stride = 2, .padding = 1, .groups = c});
                       },
                       {random({2, 5, 4, filters * c}, 1), random({c, 3, 3, filters}, 2)}});
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
