// Cases of the cores of DCN v3 and v4.
#pragma once

#include <pliant/autograd/ops/dcn.h>
#include <pliant/tests/generic_places.h>

namespace pliant::test {

struct DCNCase {
  const char* name;
  Shape x;
  std::int64_t p, q;
  DCNOptions options;

  std::int64_t pairs() const {  // of one location
    const std::int64_t taps = options.kernel.h * options.kernel.w;
    return options.groups * (taps - (options.center == CenterTap::remove ? 1 : 0));
  }
};

inline const std::vector<DCNCase>& dcn_shapes() {
  static const std::vector<DCNCase> all = {
      {"one group", {2, 4, 3, 3}, 4, 3, {.padding = 1}},
      {"groups, stride, scale",
       {1, 5, 6, 6},
       3,
       3,
       {.stride = 2, .padding = 1, .groups = 3, .offset_scale = 2}},
      {"without the middle, dilated",
       {1, 5, 4, 2},
       5,
       4,
       {.padding = 2, .dilation = 2, .groups = 2, .center = CenterTap::remove}},
      {"oblong, one group each", {1, 4, 5, 3}, 4, 4, {.kernel = {1, 2}, .groups = 3}},
      {"tall", {1, 4, 3, 17}, 4, 3, {.kernel = {3, 1}, .padding = {1, 0}}},
      {"many taps", {1, 7, 7, 2}, 7, 7, {.kernel = 5, .padding = 2}},
      {"empty batch", {0, 4, 4, 2}, 4, 4, {.padding = 1}},
      {"prime batch, 1x1 map", {11, 1, 1, 4}, 1, 1, {.padding = 1, .groups = 2}},
  };
  return all;
}

// Away from the grid lines at scale 1 and 2.
inline Tensor dcn_pairs(const Shape& shape, std::uint64_t seed) {
  return generic_places(shape, seed, -2, 2, 0.4);
}

inline std::vector<Tensor> dcn_inputs(const DCNCase& c) {
  return {random(c.x, 1), dcn_pairs({c.x[0], c.p, c.q, 2 * c.pairs()}, 2),
          random({c.x[0], c.p, c.q, c.pairs()}, 4)};
}

inline OpCase dcn_v3_case(const DCNCase& c) {
  return {c.name,
          [options = c.options](const Vars& v) { return dcn_v3(v[0], v[1], v[2], options); },
          dcn_inputs(c), 2e-4};
}

// Of more than one task.
inline const std::vector<DCNCase>& wide_dcn_shapes() {
  static const std::vector<DCNCase> all = {
      {"few groups", {1, 14, 13, 70}, 14, 13, {.padding = 1}},
      {"many", {3, 9, 10, 64}, 9, 10, {.padding = 1, .groups = 4}}};
  return all;
}

inline OpCases dcn_cases() {
  OpCases all, large;
  for (DCNCase c : dcn_shapes())
    for (const MaskRule rule : {MaskRule::as_given, MaskRule::softmax}) {
      c.options.mask = rule;
      all.push_back(dcn_v3_case(c));
      all.push_back({c.name,
                     [options = c.options](const Vars& v) { return dcn_v4(v[0], v[1], options); },
                     {random(c.x, 1), dcn_pairs({c.x[0], c.p, c.q, dcn_v4_width(c.options)}, 5)},
                     2e-4});
    }
  for (const DCNCase& c : wide_dcn_shapes()) large.push_back(dcn_v3_case(c));
  const auto beside_map = [](std::int64_t last) { return Shape{2, 5, 4, last}; };
  for (const MaskRule rule : {MaskRule::as_given, MaskRule::softmax})
    for (const CenterTap center : {CenterTap::keep, CenterTap::remove}) {
      const DCNOptions options{
          .padding = 1, .groups = 3, .offset_scale = 2, .center = center, .mask = rule};
      const std::int64_t pairs = center == CenterTap::keep ? 27 : 24;
      large.push_back({"dcn_v3, whole offsets",
                       [=](const Vars& v) { return dcn_v3(v[0], v[1], v[2], options); },
                       {random(beside_map(6), 1), offsets(beside_map(2 * pairs), 2),
                        random(beside_map(pairs), 3)}});
      large.push_back({"dcn_v4, whole offsets",
                       [=](const Vars& v) { return dcn_v4(v[0], v[1], options); },
                       {random(beside_map(6), 1), offsets(beside_map(dcn_v4_width(options)), 2)}});
    }
  large.push_back(
      {"dcn_v3, in vectors",
       [](const Vars& v) { return dcn_v3(v[0], v[1], v[2], {.padding = 1, .groups = 2}); },
       {random(beside_map(80), 1), offsets(beside_map(36), 2), random(beside_map(18), 3)}});
  return joined({all, without_differences(large)});
}

}  // namespace pliant::test
