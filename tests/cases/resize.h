// Cases of maps resized by wider kernels, and of adaptive max pooling.
#pragma once

#include <vector>

#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline std::vector<UpsampleOptions> resize_rules() {
  return {{.mode = UpsampleMode::bicubic},
          {.mode = UpsampleMode::bicubic, .align_corners = true},
          {.mode = UpsampleMode::nearest_exact},
          {.mode = UpsampleMode::bilinear, .antialias = true},
          {.mode = UpsampleMode::bicubic, .antialias = true}};
}

inline std::vector<OpCase> resize_cases() {
  std::vector<OpCase> all;
  for (UpsampleOptions o : resize_rules()) {
    for (const Size2 size : {Size2(9, 7), Size2(3, 2), Size2(1, 1), Size2(5, 6), Size2(2, 13)}) {
      o.size = size;
      all.push_back({"upsample2d",
                     [=](const Vars& v) { return upsample2d(v[0], o); },
                     {random({2, 5, 6, 3}, 1)}});
    }
    o.size = 0;
    o.scale = {1.7, 0.6};
    all.push_back({"upsample2d by a scale",
                   [=](const Vars& v) { return upsample2d(v[0], o); },
                   {random({1, 5, 6, 2}, 1)}});
    o.scale = 3;
    all.push_back({"upsample2d of one pixel",
                   [=](const Vars& v) { return upsample2d(v[0], o); },
                   {random({1, 1, 1, 4}, 1)}});
    all.push_back({"upsample2d of nothing",
                   [=](const Vars& v) { return upsample2d(v[0], o); },
                   {random({0, 2, 2, 4}, 1)}});
  }
  return all;
}

inline std::vector<OpCase> adaptive_max_pool2d_cases() {
  std::vector<OpCase> all;
  for (const Size2 size : {Size2(3, 2), Size2(1), Size2(7, 6), Size2(9, 4)})
    for (const std::int64_t c : {1, 5, 8})
      all.push_back({"adaptive_max_pool2d",
                     [=](const Vars& v) { return adaptive_max_pool2d(v[0], size); },
                     {random({2, 7, 6, c}, 1)}});
  all.push_back({"adaptive_max_pool2d of nothing",
                 [](const Vars& v) { return adaptive_max_pool2d(v[0], 2); },
                 {random({0, 7, 6, 3}, 1)}});
  return all;
}

}  // namespace pliant::test
