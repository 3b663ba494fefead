// Cases of kernels deformed as a whole.
#pragma once

#include <pliant/autograd/ops/global_deform_kernel.h>
#include <pliant/tests/generic_places.h>

namespace pliant::test {

inline OpCases global_deform_kernel_cases() {
  OpCases all;
  for (const std::int64_t n : {0, 1, 3})
    for (const std::int64_t groups : {1, 2, 4})
      all.push_back({"global_deform_kernel",
                     [=](const Vars& v) {
                       return global_deform_kernel(v[0], v[1], v[2], {3, 2}, v[3],
                                                   {.stride = 2, .padding = 1, .groups = groups});
                     },
                     {random({n, 5, 4, 4}, 1), generic_places({n, 12}, 2, -2, 3, 0.4, 2),
                      random({4, 4, 5, 4 / groups}, 4), random({4}, 5)},
                     1e-4});
  const ConvOptions plain{.padding = 1, .groups = 2};
  return joined({all, without_differences({{"global_deform_kernel, whole offsets",
                                            [=](const Vars& v) {
                                              return global_deform_kernel(v[0], v[1], v[2], 3, v[3],
                                                                          plain);
                                            },
                                            {random({2, 5, 4, 6}, 1), offsets({2, 18}, 2),
                                             random({4, 4, 3, 3}, 3), random({4}, 4)}}})});
}

}  // namespace pliant::test
