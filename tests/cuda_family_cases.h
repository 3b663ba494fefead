// What a case is on which the CUDA half is held against the CPU's, and those of the rest of the
// deformable family.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <pliant/layers/layers.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

// One op on one set of inputs, given in float64.
struct DeviceCase {
  std::string name;
  std::function<Var(const Vars&)> f;
  std::vector<Tensor> inputs;
  bool differentiable = true;
};

using DeviceCases = std::vector<DeviceCase>;

// The result and the gradients by all inputs, computed on `device`, brought to the CPU.
inline std::vector<Tensor> run(const DeviceCase& c, DType dtype, Device device) {
  Tape tape({.buffers = Buffers::keep});
  Vars vars;
  for (const Tensor& input : c.inputs) {
    const Tensor there = input.to(dtype).to(device);
    vars.push_back(c.differentiable ? tape.variable(there) : Var(there));
  }
  const Var y = c.f(vars);
  CHECK(y.device() == device);
  std::vector<Tensor> results = {y.value().to(Device::cpu())};
  if (!c.differentiable) return results;
  const Tensor cotangent = random(y.shape(), 99, 0.5, 1.5, y.dtype()).to(device);
  const Gradients gradients = tape.gradients(y, {}, {.cotangent = cotangent});
  for (const Var& var : vars) results.push_back(gradients[var].to(Device::cpu()));
  return results;
}

// Largest deviation of b from a, relative to a's largest element where that is above 1.
inline double deviation(const Tensor& a, const Tensor& b) {
  double largest = 1;
  for (const double value : a.to_vector()) largest = std::max(largest, std::abs(value));
  return max_difference(a, b) / largest;
}

// A constant as the op's inputs are: same device, same dtype.
inline Tensor beside(const Var& x, const Tensor& constant) {
  return constant.to(x.dtype()).to(x.device());
}

// Offsets up to a few pixels, some of them whole; sampling points fall outside the map too.
inline Tensor offsets(const Shape& shape, std::uint64_t seed) {
  Tensor t = random(shape, seed, -3.0, 3.0);
  double* const to = t.mutable_data<double>();
  for (std::int64_t i = 0; i < t.size(); i += 3) to[i] = std::round(to[i]);
  return t;
}

// [N P Q last] beside a 2x5x4x6 map under 3x3, padding 1.
inline Shape beside_map(std::int64_t last) { return {2, 5, 4, last}; }

inline DeviceCases deform_kernel_cases() {
  DeviceCases all;
  for (const std::int64_t groups : {1, 2, 6})
    for (const std::int64_t rotation_groups : {1, 4}) {
      const DeformKernelOptions options{
          .padding = 1, .groups = groups, .rotation_groups = rotation_groups};
      const std::vector<Tensor> inputs = {random(beside_map(6), 1), offsets(beside_map(18), 2),
                                          offsets(beside_map(18 * rotation_groups), 3),
                                          random({6, 4, 5, 6 / groups}, 4), random({6}, 5)};
      all.push_back({"deform_kernel",
                     [=](const Vars& v) { return deform_kernel(v[0], v[1], v[2], v[3], options); },
                     {inputs[0], inputs[2], inputs[3], inputs[4]}});
      all.push_back(
          {"deform_kernel_conv",
           [=](const Vars& v) { return deform_kernel_conv(v[0], v[1], v[2], v[3], v[4], options); },
           inputs});
    }
  all.push_back({"deform_kernel_conv, in vectors",
                 [](const Vars& v) {
                   return deform_kernel_conv(v[0], v[1], v[2], v[3], v[4],
                                             {.padding = 1, .groups = 2});
                 },
                 {random(beside_map(80), 1), offsets(beside_map(18), 2), offsets(beside_map(18), 3),
                  random({6, 4, 5, 40}, 4), random({6}, 5)}});
  for (const std::int64_t filters : {8, 16})
    all.push_back(
        {"deform_kernel_conv, depthwise",
         [](const Vars& v) {
           return deform_kernel_conv(v[0], v[1], v[2], v[3], v[4], {.padding = 1, .groups = 8});
         },
         {random(beside_map(8), 1), offsets(beside_map(18), 2), offsets(beside_map(18), 3),
          random({filters, 4, 5, 1}, 4), random({filters}, 5)}});
  const ConvOptions plain{.padding = 1, .groups = 2};
  all.push_back(
      {"global_deform_kernel",
       [=](const Vars& v) { return global_deform_kernel(v[0], v[1], v[2], 3, v[3], plain); },
       {random(beside_map(6), 1), offsets({2, 18}, 2), random({4, 4, 3, 3}, 3), random({4}, 4)}});
  all.push_back(
      {"cond_conv2d",
       [=](const Vars& v) { return cond_conv2d(v[0], v[1], v[2], v[3], plain); },
       {random(beside_map(6), 1), random({3, 4, 3, 3, 3}, 2), random({2, 3}, 3), random({4}, 4)}});
  return all;
}

inline DeviceCases dcn_cases() {
  DeviceCases all;
  for (const MaskRule rule : {MaskRule::as_given, MaskRule::softmax})
    for (const CenterTap center : {CenterTap::keep, CenterTap::remove}) {
      const DCNOptions options{
          .padding = 1, .groups = 3, .offset_scale = 2, .center = center, .mask = rule};
      const std::int64_t pairs = center == CenterTap::keep ? 27 : 24;
      all.push_back({"dcn_v3",
                     [=](const Vars& v) { return dcn_v3(v[0], v[1], v[2], options); },
                     {random(beside_map(6), 1), offsets(beside_map(2 * pairs), 2),
                      random(beside_map(pairs), 3)}});
      all.push_back({"dcn_v4",
                     [=](const Vars& v) { return dcn_v4(v[0], v[1], options); },
                     {random(beside_map(6), 1), offsets(beside_map(dcn_v4_width(options)), 2)}});
    }
  all.push_back(
      {"dcn_v3, in vectors",
       [](const Vars& v) { return dcn_v3(v[0], v[1], v[2], {.padding = 1, .groups = 2}); },
       {random(beside_map(80), 1), offsets(beside_map(36), 2), random(beside_map(18), 3)}});
  all.push_back({"layer_norm",
                 [](const Vars& v) { return layer_norm(v[0], v[1], v[2]); },
                 {random({3, 5, 37}, 1), random({37}, 2), random({37}, 3)}});
  all.push_back(
      {"gelu", [](const Vars& v) { return gelu(v[0]); }, {random({7, 33}, 1, -5.0, 5.0)}});
  return all;
}

}  // namespace pliant::test
