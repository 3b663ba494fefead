// Running sums along the middle of three axes: x [outer length inner] -> y of the same shape.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

struct CumsumGeometry {
  std::int64_t outer = 1, length = 1, inner = 1;
  bool from_end = false;  // y[k] = x[k] + ... + x[length-1], not x[0] + ... + x[k]
};

// The element that number `step` of the walk along one line comes to; it begins at the line's first
// or last element.
PLIANT_HD inline std::int64_t cumsum_at(const CumsumGeometry& g, std::int64_t o, std::int64_t step,
                                        std::int64_t j) {
  const std::int64_t k = g.from_end ? g.length - 1 - step : step;
  return (o * g.length + k) * g.inner + j;
}

// A step of the walk: adds to the sum before, which is held in double and rounded as it is written.
template <class T>
PLIANT_HD void cumsum_step(const CumsumGeometry& g, std::int64_t o, std::int64_t step,
                           std::int64_t j, const T* x, double& sum, T* y) {
  const std::int64_t at = cumsum_at(g, o, step, j);
  sum += static_cast<double>(x[at]);
  y[at] = static_cast<T>(sum);
}

template <class T>
using Cumsum = void(const CumsumGeometry&, const T* x, T* y);

namespace cpu {
extern FloatKernel<Cumsum> cumsum;
}  // namespace cpu

namespace cuda {
extern FloatKernel<Cumsum> cumsum;
}  // namespace cuda

}  // namespace pliant
