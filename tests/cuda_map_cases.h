// Cases on which the CUDA half is held against the CPU's: maps that are resampled or correlated,
// group normalisation, running sums, dropout, losses of rows.
#pragma once

#include <string>
#include <vector>

#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/dropout.h>
#include <pliant/autograd/ops/grid_sample.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/cuda_family_cases.h>
#include <pliant/tests/cuda_order_cases.h>

namespace pliant::test {

// Channel counts that threads take in vectors, and one by one.
inline const std::vector<std::int64_t>& channel_counts() {
  static const std::vector<std::int64_t> counts = {8, 5};
  return counts;
}

inline DeviceCases resample_cases() {
  DeviceCases all;
  for (const std::int64_t c : channel_counts()) {
    const auto add = [&](const char* name, const Shape& map, auto f) {
      const Shape x{map[0], map[1], map[2], c};
      all.push_back({name, [f](const Vars& v) { return f(v[0]); }, {random(x, 1)}});
    };
    const auto pool = [&](const char* name, const AvgPoolOptions& options) {
      add(name, {2, 7, 6}, [options](const Var& x) { return avg_pool2d(x, options); });
    };
    pool("avg_pool2d", {});
    pool("avg_pool2d, overlapping", {.kernel = 3, .stride = 2, .padding = {1, 0, 0, 1}});
    pool("avg_pool2d, pixels inside", {.kernel = {3, 2},
                                       .stride = 2,
                                       .padding = 1,
                                       .count_include_pad = false,
                                       .rounding = Rounding::up});
    for (const Size2 size : {Size2(3, 2), Size2(1), Size2(9, 13)})
      add("adaptive_avg_pool2d", {2, 7, 6},
          [size](const Var& x) { return adaptive_avg_pool2d(x, size); });
    for (const Size2 size : {Size2(5, 13), Size2(1, 2), Size2(14, 12)})
      for (const bool corners : {false, true}) {
        const UpsampleOptions linear{
            .size = size, .mode = UpsampleMode::bilinear, .align_corners = corners};
        add("upsample2d, bilinear", {2, 7, 6}, [=](const Var& x) { return upsample2d(x, linear); });
        add("upsample2d, nearest", {1, 5, 4},
            [=](const Var& x) { return upsample2d(x, {.size = size}); });
      }
    const UpsampleOptions by_scale{.scale = {1.7, 0.6}, .mode = UpsampleMode::bilinear};
    add("upsample2d by a scale", {2, 7, 6}, [=](const Var& x) { return upsample2d(x, by_scale); });
    add("upsample2d of nothing", {0, 7, 6},
        [](const Var& x) { return upsample2d(x, {.size = 9}); });
  }
  return all;
}

inline DeviceCases grid_sample_cases() {
  DeviceCases all;
  for (const std::int64_t c : channel_counts())
    for (const GridRule rule : {GridRule::bilinear, GridRule::nearest})
      for (const Border border : {Border::zeros, Border::clamp, Border::reflection})
        for (const GridSpan span : {GridSpan::centres, GridSpan::edges}) {
          const GridSampleOptions options{rule, border, span};
          all.push_back({"grid_sample",
                         [options](const Vars& v) { return grid_sample(v[0], v[1], options); },
                         {random({2, 5, 6, c}, 1), random({2, 7, 3, 2}, 2, -1.9, 1.9)}});
        }
  all.push_back({"grid_sample of nothing",
                 [](const Vars& v) { return grid_sample(v[0], v[1]); },
                 {random({0, 5, 6, 4}, 1), random({0, 7, 3, 2}, 2)}});
  return all;
}

inline DeviceCases cross_correlation_cases() {
  DeviceCases all;
  const auto correlate = [](const Vars& v) { return cross_correlation_depthwise(v[0], v[1]); };
  for (const std::int64_t c : channel_counts()) {
    all.push_back({"cross_correlation_depthwise",
                   correlate,
                   {random({2, 7, 6, c}, 1), random({2, 3, 2, c}, 2)}});
    all.push_back({"cross_correlation_depthwise, many places",
                   correlate,
                   {random({2, 16, 15, c}, 1), random({2, 3, 3, c}, 2)}});
    all.push_back({"cross_correlation_depthwise, one place",
                   correlate,
                   {random({1, 4, 4, c}, 1), random({1, 4, 4, c}, 2)}});
  }
  all.push_back({"cross_correlation_depthwise of nothing",
                 correlate,
                 {random({0, 7, 6, 4}, 1), random({0, 3, 2, 4}, 2)}});
  all.push_back({"cross_correlation_depthwise of no channels",
                 correlate,
                 {random({2, 7, 6, 0}, 1), random({2, 3, 2, 0}, 2)}});
  return all;
}

inline DeviceCases depthwise_cases() {
  DeviceCases all;
  for (const std::int64_t c : channel_counts())
    for (const std::int64_t filters : {1, 3})
      for (const ConvOptions& place :
           {ConvOptions{.padding = 1},
            ConvOptions{.stride = {2, 1}, .padding = {0, 1, 2, 0}, .dilation = {1, 2}}}) {
        ConvOptions options = place;
        options.groups = c;
        all.push_back({"conv2d, depthwise",
                       [options](const Vars& v) { return conv2d(v[0], v[1], v[2], options); },
                       {random({2, 9, 8, c}, 1), random({filters * c, 3, 2, 1}, 2),
                        random({filters * c}, 3)}});
        all.push_back({"conv_transpose2d, depthwise",
                       [c](const Vars& v) {
                         return conv_transpose2d(v[0], v[1], {},
                                                 {.stride = 2, .padding = 1, .groups = c});
                       },
                       {random({2, 5, 4, filters * c}, 1), random({c, 3, 3, filters}, 2)}});
      }
  return all;
}

inline DeviceCases group_norm_cases() {
  DeviceCases all;
  const auto add = [&](const Shape& shape, std::int64_t groups) {
    const std::int64_t c = shape.back();
    all.push_back({"group_norm",
                   [groups](const Vars& v) { return group_norm(v[0], groups, v[1], v[2]); },
                   {random(shape, 1, 9.0, 13.0), random({c}, 2), random({c}, 3)}});
  };
  for (const std::int64_t groups : {1, 2, 6}) add({2, 5, 4, 6}, groups);
  add({3, 67, 71, 4}, 2);  // some rounds of joining
  add({5, 12}, 3);
  add({0, 5, 4, 6}, 2);
  return all;
}

inline DeviceCases row_cases() {
  DeviceCases all;
  for (const int axis : {0, 1, 2})
    for (const CumsumFrom from : {CumsumFrom::start, CumsumFrom::end})
      all.push_back({"cumsum",
                     [=](const Vars& v) { return cumsum(v[0], axis, from); },
                     {random({5, 37, 3}, 1)}});
  for (const CumsumFrom from : {CumsumFrom::start, CumsumFrom::end})
    all.push_back({"cumsum of long lines",
                   [=](const Vars& v) { return cumsum(v[0], 1, from); },
                   {random({3, 700}, 1)}});
  const Rng key(7);
  for (const std::int64_t n : {1000, 1001, 3})
    for (const double rate : {0.0, 0.3, 1.0})
      all.push_back(
          {"dropout", [=](const Vars& v) { return dropout(v[0], rate, key); }, {random({n}, 1)}});
  all.push_back({"dropout of a slice that begins anywhere",
                 [=](const Vars& v) { return Var(dropout(v[0].value().slice(1, 334), 0.3, key)); },
                 {random({334, 3}, 1)},
                 false});
  const Tensor labels = Tensor::from<std::int64_t>({3, 0, -100, 6, 3}, {5});
  for (const LossReduction reduction : {LossReduction::none, LossReduction::sum})
    for (const bool weighted : {false, true})
      all.push_back({"softmax_cross_entropy of rows",
                     [=](const Vars& v) {
                       CrossEntropyOptions options{.label_smoothing = 0.1, .reduction = reduction};
                       if (weighted) options.class_weights = beside(v[0], random({7}, 6, 0.5, 2.0));
                       return softmax_cross_entropy(v[0], labels.to(v[0].device()), options);
                     },
                     {random({5, 7}, 1, -5.0, 5.0)}});
  return all;
}

inline DeviceCases map_cases() {
  DeviceCases all;
  for (const DeviceCases& some :
       {resample_cases(), grid_sample_cases(), cross_correlation_cases(), depthwise_cases(),
        group_norm_cases(), row_cases(), integer_cases(), order_cases(), resize_device_cases()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace pliant::test
