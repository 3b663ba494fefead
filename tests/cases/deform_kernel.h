// Cases of deformable kernels.
#pragma once

#include <pliant/autograd/ops/deform_kernel.h>
#include <pliant/tests/generic_places.h>

namespace pliant::test {

struct DeformKernelCase {
  const char* name;
  Shape x, weight;
  std::int64_t p, q;
  DeformKernelOptions options;

  std::int64_t taps() const { return options.kernel.h * options.kernel.w; }
  Shape rotation() const { return {x[0], p, q, 2 * options.rotation_groups * taps()}; }
  Shape offset() const { return {x[0], p, q, 2 * taps()}; }
};

inline const std::vector<DeformKernelCase>& deform_kernel_shapes() {
  static const std::vector<DeformKernelCase> all = {
      {"dense", {2, 4, 3, 3}, {4, 4, 4, 3}, 4, 3, {.padding = 1}},
      {"depthwise", {1, 4, 5, 5}, {5, 4, 4, 1}, 4, 5, {.padding = 1, .groups = 5}},
      {"depthwise, rotation groups that leave some over",
       {1, 3, 4, 5},
       {5, 4, 4, 1},
       3,
       4,
       {.padding = 1, .groups = 5, .rotation_groups = 2}},
      {"groups that rotation groups cross, stride",
       {1, 5, 4, 6},
       {4, 3, 5, 3},
       3,
       2,
       {.stride = 2, .padding = 1, .groups = 2, .rotation_groups = 4}},
      {"two filters for each channel",
       {1, 3, 3, 2},
       {4, 2, 2, 1},
       3,
       3,
       {.kernel = 1, .groups = 2}},
      {"oblong, dilated, scope below the kernel",
       {1, 5, 6, 2},
       {3, 1, 2, 2},
       5,
       4,
       {.kernel = {1, 3}, .dilation = {1, 1}}},
      {"empty batch", {0, 4, 4, 2}, {3, 4, 4, 2}, 4, 4, {.padding = 1}},
      {"prime batch, 1x1 map", {7, 1, 1, 3}, {3, 5, 5, 3}, 1, 1, {.padding = 1}},
  };
  return all;
}

// Of more than one task.
inline const std::vector<DeformKernelCase>& wide_deform_kernel_shapes() {
  static const std::vector<DeformKernelCase> all = {
      {"dense", {3, 9, 8, 40}, {24, 4, 4, 40}, 9, 8, {.padding = 1}},
      {"grouped",
       {1, 13, 12, 72},
       {8, 4, 4, 18},
       13,
       12,
       {.padding = 1, .groups = 4, .rotation_groups = 5}},
      {"depthwise", {2, 16, 17, 70}, {70, 4, 4, 1}, 16, 17, {.padding = 1, .groups = 70}}};
  return all;
}

// Away from whole and half coordinates.
inline Tensor deform_kernel_pairs(const Shape& shape, std::uint64_t seed) {
  return generic_places(shape, seed, -2, 3, 0.4, 2);
}

inline std::vector<Tensor> deform_kernel_inputs(const DeformKernelCase& c) {
  return {random(c.x, 1), deform_kernel_pairs(c.offset(), 2), deform_kernel_pairs(c.rotation(), 4),
          random(c.weight, 6), random({c.weight[0]}, 7)};
}

inline OpCase deform_kernel_conv_case(const char* name, const DeformKernelOptions& options,
                                      const std::vector<Tensor>& inputs) {
  return {name,
          [=](const Vars& v) { return deform_kernel_conv(v[0], v[1], v[2], v[3], v[4], options); },
          inputs, 2e-4};
}

inline OpCase deform_kernel_conv_case(const DeformKernelCase& c) {
  return deform_kernel_conv_case(c.name, c.options, deform_kernel_inputs(c));
}

inline OpCase deform_kernel_case(const char* name, const DeformKernelOptions& options,
                                 const std::vector<Tensor>& inputs) {  // those of the one above
  return {name,
          [=](const Vars& v) { return deform_kernel(v[0], v[1], v[2], v[3], options); },
          {inputs[0], inputs[2], inputs[3], inputs[4]},
          2e-4};
}

// With whole offsets and rotations, on maps of 2x5x4.
inline OpCases deform_kernel_cases_on_grids() {
  OpCases all;
  const auto inputs = [](std::int64_t c, const Shape& weight, std::int64_t rotation_groups) {
    const auto beside_map = [](std::int64_t last) { return Shape{2, 5, 4, last}; };
    return std::vector<Tensor>{random(beside_map(c), 1), offsets(beside_map(18), 2),
                               offsets(beside_map(18 * rotation_groups), 3), random(weight, 4),
                               random({weight[0]}, 5)};
  };
  for (const std::int64_t groups : {1, 2, 6})
    for (const std::int64_t rotation_groups : {1, 4}) {
      const DeformKernelOptions options{
          .padding = 1, .groups = groups, .rotation_groups = rotation_groups};
      const std::vector<Tensor> all_five = inputs(6, {6, 4, 5, 6 / groups}, rotation_groups);
      all.push_back(deform_kernel_case("deform_kernel", options, all_five));
      all.push_back(deform_kernel_conv_case("deform_kernel_conv", options, all_five));
    }
  all.push_back(deform_kernel_conv_case("deform_kernel_conv, in vectors",
                                        {.padding = 1, .groups = 2}, inputs(80, {6, 4, 5, 40}, 1)));
  for (const std::int64_t filters : {8, 16})
    all.push_back(deform_kernel_conv_case("deform_kernel_conv, depthwise",
                                          {.padding = 1, .groups = 8},
                                          inputs(8, {filters, 4, 5, 1}, 1)));
  return without_differences(all);
}

inline OpCases deform_kernel_cases() {
  OpCases all, large;
  for (const DeformKernelCase& c : deform_kernel_shapes()) {
    all.push_back(deform_kernel_case(c.name, c.options, deform_kernel_inputs(c)));
    all.push_back(deform_kernel_conv_case(c));
  }
  for (const DeformKernelCase& c : wide_deform_kernel_shapes())
    large.push_back(deform_kernel_conv_case(c));
  return joined({all, without_differences(large), deform_kernel_cases_on_grids()});
}

}  // namespace pliant::test
