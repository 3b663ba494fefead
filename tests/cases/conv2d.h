// Cases of convolutions.
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct ConvCase {
  const char* name;
  Shape x, weight;
  ConvOptions options;
  std::int64_t offset_groups = 1;  // of the deformable ones
};

inline const std::vector<ConvCase>& conv_shapes() {
  static const std::vector<ConvCase> all = {
      {"3x3", {2, 5, 4, 3}, {4, 3, 3, 3}, {.padding = 1}},
      {"1x1", {2, 4, 3, 8}, {5, 1, 1, 8}, {}},
      {"1x1, padded below", {2, 4, 3, 8}, {5, 1, 1, 8}, {.padding = {0, 1, 0, 0}}},
      {"stride, uneven padding",
       {2, 6, 5, 4},
       {3, 3, 2, 4},
       {.stride = 2, .padding = {0, 1, 0, 1}}},
      {"dilation", {1, 7, 8, 2}, {2, 3, 2, 2}, {{1, 2}, 2, {2, 3}, 1}},
      {"groups", {2, 4, 4, 8}, {6, 3, 3, 4}, {.padding = 1, .groups = 2}, 2},
      {"groups that cross", {2, 4, 4, 6}, {4, 3, 3, 3}, {.padding = 1, .groups = 2}, 3},
      {"depthwise", {2, 5, 3, 5}, {5, 3, 3, 1}, {.padding = 1, .groups = 5}},
      {"depthwise, many locations", {1, 9, 9, 4}, {4, 3, 3, 1}, {.padding = 1, .groups = 4}},
      {"depthwise, in vectors", {2, 5, 4, 8}, {8, 3, 3, 1}, {.padding = 1, .groups = 8}, 2},
      {"depthwise, two filters a channel",
       {2, 4, 5, 6},
       {12, 3, 3, 1},
       {.stride = 2, .padding = 1, .groups = 6},
       3},
      {"many channels", {2, 5, 4, 72}, {8, 3, 3, 72}, {.padding = 1}, 2},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, {.padding = 1}},
  };
  return all;
}

// With and without bias.
inline OpCases conv2d_cases(const std::vector<ConvCase>& shapes) {
  OpCases all;
  for (const ConvCase& c : shapes) {
    const ConvOptions options = c.options;
    const Tensor x = random(c.x, 1), weight = random(c.weight, 2), bias = random({c.weight[0]}, 3);
    all.push_back({std::string("conv2d: ") + c.name,
                   [=](const Vars& v) { return conv2d(v[0], v[1], v[2], options); },
                   {x, weight, bias},
                   1e-4});
    all.push_back({std::string("conv2d without bias: ") + c.name,
                   [=](const Vars& v) { return conv2d(v[0], v[1], {}, options); },
                   {x, weight},
                   1e-4});
  }
  return all;
}

inline OpCases conv2d_cases() {
  const std::vector<ConvCase> small = {
      {"3x3", {2, 5, 4, 3}, {4, 3, 3, 3}, {.padding = 1}},
      {"1x1 map", {1, 1, 1, 2}, {3, 3, 3, 2}, {.padding = 1}},
      {"pointwise", {3, 4, 5, 3}, {2, 1, 1, 3}, {}},
      {"stride, uneven padding",
       {2, 6, 5, 2},
       {3, 3, 3, 2},
       {.stride = 2, .padding = {0, 1, 0, 1}}},
      {"dilation",
       {1, 7, 8, 1},
       {2, 3, 2, 1},
       {.stride = {1, 2}, .padding = 2, .dilation = {2, 3}}},
      {"groups", {2, 4, 4, 6}, {4, 3, 3, 3}, {.padding = 1, .groups = 2}},
      {"depthwise", {2, 5, 3, 5}, {5, 3, 3, 1}, {.padding = 1, .groups = 5}},
      {"depthwise, two filters a channel",
       {2, 4, 5, 3},
       {6, 3, 2, 1},
       {.stride = 2, .padding = {1, 0, 2, 1}, .groups = 3}},
      {"depthwise, 1x1 map", {1, 1, 1, 4}, {4, 3, 3, 1}, {.padding = 1, .groups = 4}},
      {"depthwise, dilation beyond the map",
       {2, 2, 3, 2},
       {2, 3, 3, 1},
       {.padding = 3, .dilation = 3, .groups = 2}},
      {"depthwise, empty batch", {0, 4, 4, 3}, {3, 3, 3, 1}, {.padding = 1, .groups = 3}},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, {.padding = 1}},
      {"prime batch, odd channels", {7, 3, 4, 5}, {11, 2, 2, 5}, {}},
  };
  std::vector<ConvCase> depthwise;  // whose channels threads take in vectors, or one by one
  for (const std::int64_t c : {8, 5})
    for (const std::int64_t filters : {1, 3})
      for (const ConvOptions& place :
           {ConvOptions{.padding = 1},
            ConvOptions{.stride = {2, 1}, .padding = {0, 1, 2, 0}, .dilation = {1, 2}}}) {
        depthwise.push_back({"depthwise", {2, 9, 8, c}, {filters * c, 3, 2, 1}, place});
        depthwise.back().options.groups = c;
      }
  return joined({conv2d_cases(small), without_differences(conv2d_cases(conv_shapes())),
                 without_differences(conv2d_cases(depthwise))});
}

}  // namespace pliant::test
