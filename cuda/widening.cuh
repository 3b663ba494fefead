// Kernels over bfloat16 that hand over to those over float32, or add up in it.
#pragma once

#include <type_traits>

#include <pliant/core/kernels/widening.h>
#include <pliant/cuda/launch.cuh>

namespace pliant::cuda {

using Widening = WideningBy<convert>;

// Calls f with n zeros, to which it adds what is to lie in `to`: `to` itself, or float32 beside an
// array of bfloat16, rounded at the end. Of null, with null.
template <class T, class F>
void add_up(const char* op, T* to, std::int64_t n, Workspace& workspace, F f) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    Widening::rounded(to, n, workspace, [&](float* sums) {
      if (sums != nullptr) set_to_zero(op, sums, n);
      f(sums);
    });
  } else {
    if (to != nullptr) set_to_zero(op, to, n);
    f(to);
  }
}

}  // namespace pliant::cuda
