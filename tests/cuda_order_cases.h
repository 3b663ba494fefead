// Cases on which the CUDA half is held against the CPU's: integers, order, choice by masks and
// indices, padding by modes, wider resizing.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/select.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/sort.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/cuda_family_cases.h>

namespace pliant::test {

// Whole numbers of v as int64, worked on and back as float64, so that no bit is lost.
inline DeviceCases integer_cases() {
  const auto add = [](const char* name, auto f) {
    const auto whole = [f](const Vars& v) {
      const Var a = convert(widened(v[0]) * 100.0, DType::int64),
                b = convert(widened(v[1]) * 9.0, DType::int64);
      return convert(f(a, b), v[0].dtype() == DType::float64 ? DType::float64 : DType::float32);
    };
    return DeviceCase{name, whole, {random({5, 70}, 1), random({70}, 2, 1, 2)}, false};
  };
  return {
      add("integers: sums", [](const Var& a, const Var& b) { return a + b * a - b; }),
      add("integers: quotients",
          [](const Var& a, const Var& b) { return remainder(a, b) * 100.0 + floor_divide(a, b); }),
      add("integers: comparisons",
          [](const Var& a, const Var& b) { return Var(eq(remainder(a, b), 1.0)); }),
      add("integers: choice",
          [](const Var& a, const Var& b) {
            return where(gt(a, b), maximum(a, 3.0 * b), minimum(a, b));
          }),
      add("integers: sums over axes",
          [](const Var& a, const Var&) { return sum(a, {1}) + max(a); }),
      add("integers: moved",
          [](const Var& a, const Var& b) {
            return concat({pad(a, {1, 0}, {2, 0}, 7), broadcast_to(b, {2, 70})}, 0);
          }),
      add("integers: places", [](const Var& a, const Var&) { return Var(argmin(a, 0)); }),
      add("argsort of integers", [](const Var& a, const Var&) { return Var(argsort(a, 0)); }),
      add("nonzero", [](const Var& a, const Var& b) { return Var(nonzero(gt(a, b))); }),
  };
}

inline DeviceCases order_cases() {
  DeviceCases all;
  for (const int axis : {0, 1, 2})
    for (const SortOrder order : {SortOrder::ascending, SortOrder::descending}) {
      all.push_back({"sort",
                     [=](const Vars& v) { return sort(v[0], axis, order).values; },
                     {random({5, 33, 3}, 1)}});
      all.push_back({"topk",
                     [=](const Vars& v) { return topk(v[0], 2, axis, order).values; },
                     {random({5, 33, 3}, 1)}});
    }
  const Tensor index = Tensor::from<std::int64_t>({4, 0, 4, 2, 1, 2}, {2, 3});
  all.push_back({"scatter",
                 [=](const Vars& v) { return scatter(v[0], 1, index.to(v[0].device()), v[1]); },
                 {random({2, 5}, 1), random({2, 3}, 2)}});
  all.push_back({"masked_select",
                 [](const Vars& v) { return masked_select(v[0], gt(v[0], 0.0)); },
                 {random({5, 7}, 3)}});
  for (const PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular})
    all.push_back({"pad by a mode",
                   [=](const Vars& v) {
                     return pad(v[0], {0, 2, 1}, {0, 3, -1}, mode);
                   },
                   {random({2, 5, 4}, 1)}});
  return all;
}

inline DeviceCases resize_device_cases() {
  DeviceCases all;
  for (const std::int64_t c : {8, 5}) {
    for (UpsampleOptions o : {UpsampleOptions{.mode = UpsampleMode::bicubic},
                              UpsampleOptions{.mode = UpsampleMode::bicubic, .align_corners = true},
                              UpsampleOptions{.mode = UpsampleMode::nearest_exact},
                              UpsampleOptions{.mode = UpsampleMode::bilinear, .antialias = true},
                              UpsampleOptions{.mode = UpsampleMode::bicubic, .antialias = true}})
      for (const Size2 size : {Size2(5, 13), Size2(1, 2), Size2(14, 3)}) {
        o.size = size;
        all.push_back({"upsample2d by a wider kernel",
                       [=](const Vars& v) { return upsample2d(v[0], o); },
                       {random({2, 7, 6, c}, 1)}});
      }
    all.push_back({"adaptive_max_pool2d",
                   [](const Vars& v) {
                     return adaptive_max_pool2d(v[0], {3, 4});
                   },
                   {random({2, 7, 6, c}, 1)}});
  }
  return all;
}

}  // namespace pliant::test
