// Cases of deformable convolutions.
#pragma once

#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/tests/cases/conv2d.h>
#include <pliant/tests/generic_places.h>

namespace pliant::test {

// With and without mask, under both borders; `places` gives offsets of a shape and a seed.
inline OpCases deform_conv2d_cases(
    const std::vector<ConvCase>& shapes,
    const std::function<Tensor(const Shape&, std::uint64_t)>& places) {
  OpCases all;
  for (const ConvCase& c : shapes) {
    const Conv2dGeometry g = conv_geometry("test", c.x, c.weight, c.options);
    const std::int64_t pairs = c.offset_groups * g.r * g.s;
    const std::vector<Tensor> inputs = {random(c.x, 1), places({g.n, g.p, g.q, 2 * pairs}, 2),
                                        random({g.n, g.p, g.q, pairs}, 4), random(c.weight, 5),
                                        random({g.k}, 6)};
    for (const Border border : {Border::zeros, Border::dcn_v1}) {
      const DeformConvOptions options{c.options.stride, c.options.padding, c.options.dilation,
                                      c.options.groups, c.offset_groups,   border};
      const std::string name = std::string(c.name) + (border == Border::dcn_v1 ? ", dcn_v1" : "");
      all.push_back(
          {"deform_conv2d: " + name,
           [=](const Vars& v) { return deform_conv2d(v[0], v[1], v[3], v[4], v[2], options); },
           inputs, 2e-4});
      all.push_back(
          {"deform_conv2d without mask: " + name,
           [=](const Vars& v) { return deform_conv2d(v[0], v[1], v[2], v[3], {}, options); },
           {inputs[0], inputs[1], inputs[3], inputs[4]},
           2e-4});
    }
  }
  return all;
}

// Of the shapes of plain convolutions, at whole places too.
inline OpCases deform_conv2d_cases(const std::vector<ConvCase>& shapes) {
  return without_differences(deform_conv2d_cases(shapes, offsets));
}

inline OpCases deform_conv2d_cases() {
  const std::vector<ConvCase> small = {
      {"3x3", {2, 5, 4, 3}, {4, 3, 3, 3}, {.padding = 1}},
      {"1x1 map", {1, 1, 1, 2}, {3, 1, 1, 2}, {}},
      {"stride, uneven padding",
       {2, 6, 5, 2},
       {3, 3, 3, 2},
       {.stride = 2, .padding = {0, 1, 0, 1}}},
      {"dilation",
       {1, 7, 8, 1},
       {2, 3, 2, 1},
       {.stride = {1, 2}, .padding = 2, .dilation = {2, 3}}},
      {"groups and offset groups", {2, 4, 4, 6}, {4, 3, 3, 3}, {.padding = 1, .groups = 2}, 3},
      {"depthwise", {2, 5, 3, 5}, {5, 3, 3, 1}, {.padding = 1, .groups = 5}},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, {.padding = 1}},
      {"prime batch, odd channels", {7, 3, 4, 5}, {11, 2, 2, 5}, {}},
  };
  const auto generic = [](const Shape& shape, std::uint64_t seed) {
    return generic_places(shape, seed, -2, 3, 0.9);
  };
  return joined(
      {deform_conv2d_cases(small, generic), deform_conv2d_cases(conv_shapes()),
       without_differences(
           {{"deform_conv2d: many samples",
             [](const Vars& v) { return deform_conv2d(v[0], v[1], v[2], {}, {}, {.groups = 40}); },
             {random({2, 24, 24, 40}, 4), random({2, 24, 24, 2}, 5, -24, 24),
              random({40, 1, 1, 1}, 6)}}})});
}

}  // namespace pliant::test
