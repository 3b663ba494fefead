// How a kernel over float32 serves bfloat16: its inputs are widened and its results rounded once.
#pragma once

#include <pliant/core/kernels/convert.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

template <Convert<BFloat16, float>* widen, Convert<float, BFloat16>* round>
struct WideningBy {
  // A copy as float32; of null, null.
  static const float* widened(const BFloat16* x, std::int64_t n, Workspace& workspace) {
    if (x == nullptr) return nullptr;
    float* const wide = workspace.take<float>(n);
    widen(n, x, wide);
    return wide;
  }

  // Calls f with room for a result as float32, which is then rounded to where it belongs; of null,
  // with null.
  template <class F>
  static void rounded(BFloat16* to, std::int64_t n, Workspace& workspace, F f) {
    if (to == nullptr) return f(nullptr);
    float* const wide = workspace.take<float>(n);
    f(wide);
    round(n, wide, to);
  }
};

}  // namespace pliant
