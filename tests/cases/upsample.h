// Cases of maps of other sizes.
#pragma once

#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

struct UpsampleCase {
  Shape x;
  UpsampleOptions options;
  std::int64_t p, q;
};

inline const std::vector<UpsampleCase>& upsample_shapes() {
  static const std::vector<UpsampleCase> all = {
      {{1, 1, 1, 3}, {.size = {3, 4}}, 3, 4},      {{2, 3, 4, 5}, {.size = {6, 8}}, 6, 8},
      {{1, 4, 3, 17}, {.size = {7, 5}}, 7, 5},     {{3, 7, 8, 1}, {.size = {3, 5}}, 3, 5},
      {{1, 4, 5, 2}, {.size = 1}, 1, 1},           {{2, 5, 1, 2}, {.size = {1, 6}}, 1, 6},
      {{1, 3, 4, 2}, {.scale = 2}, 6, 8},          {{2, 3, 5, 2}, {.scale = {2.5, 1.7}}, 7, 8},
      {{1, 7, 5, 3}, {.scale = {0.4, 0.9}}, 2, 4}, {{0, 3, 4, 2}, {.scale = 2}, 6, 8}};
  return all;
}

// By wider kernels.
inline std::vector<UpsampleOptions> wide_upsample_rules() {
  return {{.mode = UpsampleMode::bicubic},
          {.mode = UpsampleMode::bicubic, .align_corners = true},
          {.mode = UpsampleMode::nearest_exact},
          {.mode = UpsampleMode::bilinear, .antialias = true},
          {.mode = UpsampleMode::bicubic, .antialias = true}};
}

inline OpCase upsample_case(const Shape& x, const UpsampleOptions& options) {
  return {"upsample2d", [=](const Vars& v) { return upsample2d(v[0], options); }, {random(x, 1)}};
}

inline UpsampleOptions resized(UpsampleOptions rule, Size2 size) {
  rule.size = size;
  return rule;
}

inline UpsampleOptions scaled(UpsampleOptions rule, Scale2 scale) {
  rule.scale = scale;
  return rule;
}

inline OpCases wide_upsample_cases() {
  OpCases all, large;
  for (const UpsampleOptions& rule : wide_upsample_rules()) {
    for (const Size2 size : {Size2(9, 7), Size2(3, 2), Size2(1, 1), Size2(5, 6), Size2(2, 13)})
      all.push_back(upsample_case({2, 5, 6, 3}, resized(rule, size)));
    all.push_back(upsample_case({1, 5, 6, 2}, scaled(rule, {1.7, 0.6})));
    all.push_back(upsample_case({1, 1, 1, 4}, scaled(rule, 3)));
    all.push_back(upsample_case({0, 2, 2, 4}, scaled(rule, 3)));
    large.push_back(upsample_case({3, 64, 61, 5}, resized(rule, {37, 20})));
    for (const std::int64_t c : {8, 5})  // channels that threads take in vectors, and one by one
      for (const Size2 size : {Size2(5, 13), Size2(1, 2), Size2(14, 3)})
        large.push_back(upsample_case({2, 7, 6, c}, resized(rule, size)));
  }
  return joined({all, without_differences(large)});
}

inline OpCases upsample_cases() {
  OpCases all, large;
  for (UpsampleCase c : upsample_shapes())
    for (const UpsampleMode mode : {UpsampleMode::nearest, UpsampleMode::bilinear})
      for (const bool corners : {false, true}) {
        c.options.mode = mode;
        c.options.align_corners = corners;
        all.push_back(upsample_case(c.x, c.options));
      }
  for (const std::int64_t c : {8, 5}) {
    for (const Size2 size : {Size2(5, 13), Size2(1, 2), Size2(14, 12)})
      for (const bool corners : {false, true}) {
        large.push_back(upsample_case(
            {2, 7, 6, c},
            {.size = size, .mode = UpsampleMode::bilinear, .align_corners = corners}));
        large.push_back(upsample_case({1, 5, 4, c}, {.size = size}));
      }
    large.push_back(
        upsample_case({2, 7, 6, c}, {.scale = {1.7, 0.6}, .mode = UpsampleMode::bilinear}));
    large.push_back(upsample_case({0, 7, 6, c}, {.size = 9}));
  }
  large.push_back(upsample_case({3, 37, 41, 9}, {.scale = 2, .mode = UpsampleMode::bilinear}));
  large.push_back(upsample_case({3, 37, 41, 9}, {.size = {41, 123}}));
  return joined({all, without_differences(large), wide_upsample_cases()});
}

}  // namespace pliant::test
