// Reductions of the middle of three axes: x [outer reduced inner] -> y [outer inner].
#pragma once

#include <cstdint>
#include <limits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct ReduceGeometry {
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

// How two partial results become one, and the result of nothing.
struct SumOf {
  template <class T>
  static constexpr T kOfNothing = T(0);
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return held + now;
  }
};
// takes_over() of pool2d.h for the values alone, without branches, so that loops vectorise.
struct MaxOf {  // NaN counts as largest
  template <class T>
  static constexpr T kOfNothing = -std::numeric_limits<T>::infinity();
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return static_cast<bool>(int{held >= now} | int{held != held}) ? held : now;
  }
};
struct MinOf {  // NaN counts as smallest
  template <class T>
  static constexpr T kOfNothing = std::numeric_limits<T>::infinity();
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return static_cast<bool>(int{held <= now} | int{held != held}) ? held : now;
  }
};

template <class T>
using Reduction = void(const ReduceGeometry&, const T* x, Wide<T>* y, Workspace&);
// Index of the first largest element; NaN counts as largest. Needs reduced >= 1.
template <class T>
using ArgmaxForward = void(const ReduceGeometry&, const T* x, std::int64_t* index);

namespace cpu {
Reduction<float> sum_forward, max_forward, min_forward;
Reduction<double> sum_forward, max_forward, min_forward;
Reduction<BFloat16> sum_forward;
ArgmaxForward<float> argmax_forward;
ArgmaxForward<double> argmax_forward;
}  // namespace cpu

namespace cuda {
Reduction<float> sum_forward, max_forward, min_forward;
Reduction<double> sum_forward, max_forward, min_forward;
Reduction<BFloat16> sum_forward;
ArgmaxForward<float> argmax_forward;
ArgmaxForward<double> argmax_forward;
}  // namespace cuda

}  // namespace pliant
