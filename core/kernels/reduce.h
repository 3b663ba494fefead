// Reductions of the middle of three axes: x [outer reduced inner] -> y [outer inner].
#pragma once

#include <cstdint>

#include <pliant/core/kernels/workspace.h>

namespace pliant {

struct ReduceGeometry {
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

// An empty sum is 0.
template <class T>
using SumForward = void(const ReduceGeometry&, const T* x, T* y, Workspace&);
// Index of the first largest element; NaN counts as largest. Needs reduced >= 1.
template <class T>
using ArgmaxForward = void(const ReduceGeometry&, const T* x, std::int64_t* index);

namespace cpu {
SumForward<float> sum_forward;
SumForward<double> sum_forward;
ArgmaxForward<float> argmax_forward;
ArgmaxForward<double> argmax_forward;
}  // namespace cpu

namespace cuda {
SumForward<float> sum_forward;
SumForward<double> sum_forward;
ArgmaxForward<float> argmax_forward;
ArgmaxForward<double> argmax_forward;
}  // namespace cuda

}  // namespace pliant
