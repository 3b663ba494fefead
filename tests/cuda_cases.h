// The cases on which the CUDA half is held against the CPU's: every op, through the public ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/conv_transpose2d.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/layers/layers.h>
#include <pliant/tests/cuda_family_cases.h>
#include <pliant/tests/cuda_map_cases.h>
#include <pliant/tests/cuda_net_cases.h>
#include <pliant/tests/cuda_region_cases.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline DeviceCases elementwise_cases() {
  const Tensor a = random({3, 4, 5}, 1), b = random({4, 1}, 2, 0.5, 2.0);
  return {
      {"relu", [](const Vars& v) { return relu(v[0]); }, {a}},
      {"sigmoid", [](const Vars& v) { return sigmoid(v[0]); }, {a}},
      {"sigmoid of more than a grid row",
       [](const Vars& v) { return sigmoid(v[0]); },
       {random({70001}, 3)}},
      {"relu of nothing", [](const Vars& v) { return relu(v[0]); }, {random({0, 3}, 1)}},
      {"add, broadcast", [](const Vars& v) { return v[0] + v[1]; }, {a, b}},
      {"sub, broadcast", [](const Vars& v) { return v[1] - v[0]; }, {a, b}},
      {"mul, equal shapes", [](const Vars& v) { return v[0] * v[1]; }, {a, random({3, 4, 5}, 4)}},
      {"div, broadcast", [](const Vars& v) { return v[0] / v[1]; }, {a, b}},
      {"pow of two tensors", [](const Vars& v) { return pow(v[0], v[1]); }, {b, a}},
      {"scalar", [](const Vars& v) { return v[0] * 3.0 + 1.0; }, {a}},
      {"broadcast_to",
       [](const Vars& v) {
         return broadcast_to(v[0], {3, 4, 5});
       },
       {b}},
  };
}

inline DeviceCases reduce_cases() {
  const auto sum_over = [](const std::vector<int>& axes) {
    return [axes](const Vars& v) { return sum(v[0], axes); };
  };
  Tensor ties = random({7, 300, 3}, 5);
  for (const std::int64_t at : {31, 32, 899})
    ties.mutable_data<double>()[at] = std::numeric_limits<double>::quiet_NaN();
  for (const std::int64_t at : {1000, 1300, 1600}) ties.mutable_data<double>()[at] = 2.0;
  const auto argmax_over = [](int axis) {
    return [axis](const Vars& v) { return Var(argmax(v[0], axis)); };
  };
  return {
      {"sum of all", sum_over({0, 1}), {random({9, 11}, 1)}},
      {"sum of many neighbours", sum_over({0}), {random({200003}, 2)}},
      {"sum along rows", sum_over({1}), {random({5, 3001}, 3)}},
      {"sum along many rows", sum_over({1}), {random({65, 700}, 3)}},
      {"sum of columns", sum_over({0}), {random({3001, 5}, 4)}},
      {"sum of a middle axis", sum_over({1}), {random({3, 129, 67}, 4)}},
      {"sum of wide columns", sum_over({0}), {random({65, 300}, 4)}},
      {"sum of no rows", sum_over({0}), {random({0, 4}, 4)}},
      {"sum to no columns", sum_over({0}), {random({4, 0}, 4)}},
      {"mean",
       [](const Vars& v) {
         return mean(v[0], {1, 2});
       },
       {random({2, 14, 14, 33}, 5)}},
      {"global_avg_pool2d",
       [](const Vars& v) { return global_avg_pool2d(v[0]); },
       {random({2, 7, 7, 5}, 6)}},
      {"argmax, ties and NaN", argmax_over(1), {ties}, false},
      {"argmax of the last axis", argmax_over(2), {ties}, false},
      {"argmax of long rows", argmax_over(1), {ties.reshape({3, 2100})}, false},
  };
}

inline DeviceCases matmul_cases() {
  const auto product = [](const Vars& v) { return matmul(v[0], v[1]); };
  const auto layer = [](const Vars& v) { return linear(v[0], v[1], v[2]); };
  return {
      {"matmul", product, {random({3, 5}, 1), random({5, 7}, 2)}},
      {"matmul, larger", product, {random({130, 65}, 1), random({65, 33}, 2)}},
      {"matmul, batched", product, {random({3, 4, 5}, 1), random({3, 5, 2}, 2)}},
      {"matmul, one left matrix", product, {random({4, 5}, 1), random({3, 5, 2}, 2)}},
      {"matmul, one right matrix", product, {random({3, 4, 5}, 1), random({5, 2}, 2)}},
      {"matmul, broadcast", product, {random({2, 1, 4, 5}, 1), random({3, 5, 2}, 2)}},
      {"matmul, nothing summed", product, {random({3, 0}, 1), random({0, 2}, 2)}},
      {"matmul of nothing", product, {random({0, 3}, 1), random({3, 2}, 2)}},
      {"linear", layer, {random({6, 5}, 1), random({7, 5}, 2), random({7}, 3)}},
      {"linear, three axes", layer, {random({2, 3, 16}, 1), random({10, 16}, 2), random({10}, 3)}},
      {"linear without bias",
       [](const Vars& v) { return linear(v[0], v[1]); },
       {random({4, 8}, 1), random({8, 8}, 2)}},
      {"linear and ReLU",
       [](const Vars& v) { return linear(v[0], v[1], v[2], Activation::relu); },
       {random({6, 16}, 1), random({8, 16}, 2), random({8}, 3)}},
      {"linear and ReLU, vectors that do not fit",
       [](const Vars& v) { return linear(v[0], v[1], v[2], Activation::relu); },
       {random({5, 3}, 1), random({7, 3}, 2), random({7}, 3)}},
      {"linear and ReLU without bias",
       [](const Vars& v) { return linear(v[0], v[1], {}, Activation::relu); },
       {random({6, 16}, 1), random({8, 16}, 2)}},
      {"linear and ReLU, nothing summed",
       [](const Vars& v) { return linear(v[0], v[1], v[2], Activation::relu); },
       {random({3, 0}, 1), random({8, 0}, 2), random({8}, 3)}},
  };
}

struct ConvCase {
  const char* name;
  Shape x, weight;
  ConvOptions options;
  std::int64_t offset_groups = 1;
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

inline DeviceCases conv_cases(const std::vector<ConvCase>& shapes) {
  DeviceCases all;
  for (const ConvCase& c : shapes) {
    const ConvOptions options = c.options;
    const Tensor x = random(c.x, 1), weight = random(c.weight, 2), bias = random({c.weight[0]}, 3);
    all.push_back({std::string("conv2d: ") + c.name,
                   [options](const Vars& v) { return conv2d(v[0], v[1], v[2], options); },
                   {x, weight, bias}});
    all.push_back({std::string("conv2d without bias: ") + c.name,
                   [options](const Vars& v) { return conv2d(v[0], v[1], {}, options); },
                   {x, weight}});
  }
  all.push_back({"conv_transpose2d",
                 [](const Vars& v) {
                   return conv_transpose2d(v[0], v[1], v[2],
                                           {.stride = 2, .padding = 1, .output_padding = 1});
                 },
                 {random({2, 3, 4, 5}, 1), random({3, 3, 2, 5}, 2), random({3}, 3)}});
  return all;
}

inline DeviceCases deform_cases(const std::vector<ConvCase>& shapes) {
  DeviceCases all;
  for (const ConvCase& c : shapes)
    for (const Border border : {Border::zeros, Border::dcn_v1}) {
      const DeformConvOptions options{c.options.stride, c.options.padding, c.options.dilation,
                                      c.options.groups, c.offset_groups,   border};
      const Conv2dGeometry g = conv_geometry("test", c.x, c.weight, c.options);
      const std::int64_t pairs = c.offset_groups * g.r * g.s;
      const std::vector<Tensor> inputs = {random(c.x, 1), offsets({g.n, g.p, g.q, 2 * pairs}, 2),
                                          random({g.n, g.p, g.q, pairs}, 3), random(c.weight, 4),
                                          random({g.k}, 5)};
      const std::string name = std::string(c.name) + (border == Border::dcn_v1 ? ", dcn_v1" : "");
      all.push_back({"deform_conv2d: " + name,
                     [options](const Vars& v) {
                       return deform_conv2d(v[0], v[1], v[3], v[4], v[2], options);
                     },
                     inputs});
      all.push_back(
          {"deform_conv2d without mask: " + name,
           [options](const Vars& v) { return deform_conv2d(v[0], v[1], v[2], {}, {}, options); },
           {inputs[0], inputs[1], inputs[3]}});
    }
  return all;
}

inline DeviceCases map_offsets_cases() {
  const auto warp = [](const Vars& v) { return map_offsets(v[0], v[1]); };
  const auto flat_at_integers = [](const Vars& v) {
    return map_offsets(v[0], v[1], {.at_integers = AtIntegers::zero});
  };
  return {
      {"map_offsets", warp, {random({2, 5, 4, 3}, 1), offsets({2, 5, 4, 6}, 2)}},
      {"map_offsets, flat at integers",
       flat_at_integers,
       {random({2, 5, 4, 3}, 1), offsets({2, 5, 4, 6}, 2)}},
      {"map_offsets of nothing", warp, {random({0, 5, 4, 3}, 1), random({0, 5, 4, 6}, 2)}},
  };
}

// The functions of the tables, and what is made of them.
inline DeviceCases function_cases() {
  const Tensor x = random({7, 33}, 1, -3.0, 3.0), above = random({7, 33}, 2, 0.3, 3.0);
  const Tensor other = random({33}, 3, -3.0, 3.0);
  return {
      {"leaky_relu", [](const Vars& v) { return leaky_relu(v[0], 0.2); }, {x}},
      {"tanh", [](const Vars& v) { return tanh(v[0]); }, {x}},
      {"silu", [](const Vars& v) { return silu(v[0]); }, {x}},
      {"softplus", [](const Vars& v) { return softplus(v[0]); }, {x}},
      {"exp", [](const Vars& v) { return exp(v[0]); }, {x}},
      {"log", [](const Vars& v) { return log(v[0]); }, {above}},
      {"sqrt", [](const Vars& v) { return sqrt(v[0]); }, {above}},
      {"rsqrt", [](const Vars& v) { return rsqrt(v[0]); }, {above}},
      {"square", [](const Vars& v) { return square(v[0]); }, {x}},
      {"pow", [](const Vars& v) { return pow(v[0], 1.7); }, {above}},
      {"abs", [](const Vars& v) { return abs(v[0]); }, {x}},
      {"clamp", [](const Vars& v) { return clamp(v[0], -1, 2); }, {x}},
      {"smooth_l1_loss", [](const Vars& v) { return smooth_l1_loss(v[0], v[1]); }, {x, above}},
      {"gt", [](const Vars& v) { return Var(gt(v[0], v[1])); }, {x, other}, false},
      {"ne", [](const Vars& v) { return Var(ne(v[0], v[1])); }, {x, other}, false},
      {"maximum", [](const Vars& v) { return maximum(v[0], v[1]); }, {x, other}},
      {"minimum", [](const Vars& v) { return minimum(v[0], v[1]); }, {x, other}},
      {"where", [](const Vars& v) { return where(gt(v[0], 0.0), v[0], v[1]); }, {x, other}},
      {"max", [](const Vars& v) { return max(v[0], {0}); }, {random({70001, 3}, 4)}},
      {"min", [](const Vars& v) { return min(v[0]); }, {random({200003}, 5)}},
      {"variance", [](const Vars& v) { return variance(v[0], {0}); }, {x}},
      {"softmax", [](const Vars& v) { return softmax(v[0]); }, {x}},
      {"log_softmax", [](const Vars& v) { return log_softmax(v[0], 0); }, {x}},
  };
}

inline DeviceCases shape_cases() {
  const Tensor x = random({4, 5, 3}, 1), rows = random({7, 33}, 2);
  const Tensor indices = Tensor::from<std::int64_t>({6, 0, 6, 3}, {2, 2});
  const Tensor places = Tensor::from<std::int64_t>({1, 0, 1, 1, 0, 1, 0, 0, 0, 1}, {2, 5, 1});
  return {
      {"flip",
       [](const Vars& v) {
         return flip(v[0], {0, -1});
       },
       {random({5, 7, 3}, 1)}},
      {"slice",
       [](const Vars& v) {
         return slice(v[0], {1, 0, 0}, {4, 5, 2}, {2, 3, 1});
       },
       {x}},
      {"pad",
       [](const Vars& v) {
         return pad(v[0], {0, 1, 2}, {3, 0, 1}, 0.5);
       },
       {x}},
      {"concat",
       [](const Vars& v) {
         return concat({v[0], v[1]}, 1);
       },
       {x, random({4, 2, 3}, 3)}},
      {"stack",
       [](const Vars& v) {
         return stack({v[0], v[1]}, -1);
       },
       {x, random({4, 5, 3}, 3)}},
      {"gather",
       [=](const Vars& v) { return gather(v[0], 2, places.to(v[0].device())); },
       {random({2, 5, 2}, 4)}},
      {"embedding",
       [=](const Vars& v) { return embedding(v[0], indices.to(v[0].device())); },
       {rows}},
      {"one_hot",
       [=](const Vars& v) { return v[0] * one_hot(indices.to(v[0].device()), 7, v[0].dtype()); },
       {random({7}, 5)}},
      {"class weights",
       [=](const Vars& v) {
         return softmax_cross_entropy(
             v[0], indices.to(v[0].device()),
             {.label_smoothing = 0.1, .class_weights = beside(v[0], random({7}, 6, 0.5, 2.0))});
       },
       {random({2, 2, 7}, 7)}},
  };
}

inline DeviceCases permute_cases() {
  const auto to = [](const std::vector<int>& axes) {
    return [axes](const Vars& v) { return permute(v[0], axes); };
  };
  return {
      {"permute, channels first", to({0, 3, 1, 2}), {random({2, 5, 6, 7}, 1)}},
      {"permute, pairs stay", to({0, 2, 3, 1, 4}), {random({2, 3, 33, 5, 2}, 2)}},
      {"permute of nothing", to({2, 0, 1}), {random({3, 0, 4}, 3)}},
  };
}

inline DeviceCases norm_cases() {
  DeviceCases all;
  for (const Shape& shape : {Shape{2, 3, 3, 5}, Shape{1, 1, 2, 1}, Shape{5, 37, 29, 3}}) {
    const std::int64_t c = shape.back();
    const Tensor mean = random({c}, 4), var = random({c}, 5, 0.5, 2.0);
    const auto training = [=](const Vars& v) {
      return batch_norm2d_training(v[0], v[1], v[2], beside(v[0], mean), beside(v[0], var));
    };
    const std::vector<Tensor> inputs = {random(shape, 1, 99.0, 103.0), random({c}, 2),
                                        random({c}, 3)};
    all.push_back({"batch_norm2d, training", [=](const Vars& v) { return training(v).y; }, inputs});
    all.push_back({"batch_norm2d, running mean",
                   [=](const Vars& v) { return Var(training(v).running_mean); }, inputs, false});
    all.push_back({"batch_norm2d, running variance",
                   [=](const Vars& v) { return Var(training(v).running_var); }, inputs, false});
    all.push_back({"batch_norm2d",
                   [=](const Vars& v) {
                     return batch_norm2d(v[0], v[1], v[2], beside(v[0], mean), beside(v[0], var));
                   },
                   inputs});
  }
  return all;
}

inline DeviceCases pool_and_loss_cases() {
  DeviceCases all;
  const auto pool = [&](const char* name, const Shape& x, const MaxPoolOptions& options) {
    all.push_back(
        {name, [options](const Vars& v) { return max_pool2d(v[0], options); }, {random(x, 1)}});
  };
  pool("max_pool2d", {2, 6, 5, 3}, {});
  pool("max_pool2d, overlapping", {2, 7, 6, 4}, {.kernel = 3, .stride = 2, .padding = 1});
  pool("max_pool2d, dilated", {1, 8, 9, 2},
       {.kernel = {2, 3}, .stride = 1, .padding = {1, 0, 0, 1}, .dilation = 2});
  pool("max_pool2d of nothing", {0, 6, 6, 3}, {});

  const Tensor labels = Tensor::from<std::int64_t>({3, 0, -100, 6, 3}, {5});
  for (const double smoothing : {0.0, 0.1})
    all.push_back({"softmax_cross_entropy",
                   [=](const Vars& v) {
                     return softmax_cross_entropy(v[0], labels.to(v[0].device()),
                                                  {.label_smoothing = smoothing});
                   },
                   {random({5, 7}, 1, -30.0, 30.0)}});
  const Tensor many = Tensor::full({1000}, 2, DType::int64);
  all.push_back({"softmax_cross_entropy of many rows",
                 [=](const Vars& v) { return softmax_cross_entropy(v[0], many.to(v[0].device())); },
                 {random({1000, 10}, 1)}});
  return all;
}

inline DeviceCases all_cases() {
  DeviceCases all;
  for (const DeviceCases& some :
       {function_cases(), shape_cases(), elementwise_cases(), reduce_cases(), matmul_cases(),
        conv_cases(conv_shapes()), deform_cases(conv_shapes()), map_offsets_cases(),
        deform_kernel_cases(), dcn_cases(), permute_cases(), norm_cases(), pool_and_loss_cases(),
        map_cases(), region_cases(), net_cases()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace pliant::test
