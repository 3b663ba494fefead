// Cases of convolutions with a kernel for each image.
#pragma once

#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/tests/op_case.h>

namespace pliant::test {

inline OpCases conv2d_per_image_cases() {
  OpCases all;
  for (const std::int64_t n : {0, 1, 3})
    for (const std::int64_t groups : {1, 2})
      all.push_back({"conv2d_per_image",
                     [=](const Vars& v) {
                       return conv2d_per_image(v[0], v[1], v[2],
                                               {.stride = 2, .padding = 1, .groups = groups});
                     },
                     {random({n, 5, 4, 4}, 1), random({n, 6, 3, 2, 4 / groups}, 2), random({6}, 3)},
                     1e-4});
  return all;
}

}  // namespace pliant::test
