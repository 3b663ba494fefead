// Layer normalisation (Ba, Kiros and Hinton 2016): geometry, formula and signatures.
//
//   y[i,j] = (x[i,j] - mean[i]) / sqrt(var[i] + eps) * weight[j] + bias[j]
//
// with the mean and biased variance of each row i over its c elements.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct LayerNormGeometry {
  std::int64_t rows, c;  // x and y [rows c], weight and bias [c]
  double eps;
};

template <class T>
struct RowStatistics {
  T mean, rstd;  // rstd = 1 / sqrt(var + eps)
  PLIANT_HD T normalised(T x) const { return (x - mean) * rstd; }
};

// The sum of f(0) ... f(n - 1), in lanes that compilers make a vector of; the order depends on n
// alone.
template <class T, class F>
PLIANT_HD T sum_in_lanes(std::int64_t n, F f) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int j = 0; j < kLanes; ++j) lanes[j] += f(i + j);
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; i < n; ++i) sum += f(i);
  return sum;
}

// Two passes over the row, so that a large mean costs no digits.
template <class T>
PLIANT_HD RowStatistics<T> row_statistics(const LayerNormGeometry& g, const T* x) {
  const T count = static_cast<T>(g.c);
  const T mean = sum_in_lanes<T>(g.c, [=](std::int64_t i) { return x[i]; }) / count;
  const T squares =
      sum_in_lanes<T>(g.c, [=](std::int64_t i) { return (x[i] - mean) * (x[i] - mean); });
  return {mean, 1 / std::sqrt(squares / count + static_cast<T>(g.eps))};
}

// dx of one row: rstd * (s - mean(s) - n * mean(s * n)), s = dy * weight, n the normalised x.
template <class T>
PLIANT_HD void row_gradient(const LayerNormGeometry& g, const RowStatistics<T>& row, const T* x,
                            const T* weight, const T* dy, T* dx) {
  const T count = static_cast<T>(g.c);
  const T mean = sum_in_lanes<T>(g.c, [=](std::int64_t i) { return dy[i] * weight[i]; }) / count;
  const T along =
      sum_in_lanes<T>(g.c,
                      [=](std::int64_t i) { return dy[i] * weight[i] * row.normalised(x[i]); }) /
      count;
  for (std::int64_t i = 0; i < g.c; ++i)
    dx[i] = row.rstd * (dy[i] * weight[i] - mean - row.normalised(x[i]) * along);
}

template <class T>
using LayerNormForward = void(const LayerNormGeometry&, const T* x, const T* weight, const T* bias,
                              T* y);
// Each of dx and dweight may be null and is then left out.
template <class T>
using LayerNormGradient = void(const LayerNormGeometry&, const T* x, const T* weight, const T* dy,
                               T* dx, T* dweight, Workspace&);

namespace cpu {
LayerNormForward<float> layer_norm_forward;
LayerNormForward<double> layer_norm_forward;
LayerNormGradient<float> layer_norm_gradient;
LayerNormGradient<double> layer_norm_gradient;
}  // namespace cpu

namespace cuda {
LayerNormForward<float> layer_norm_forward;
LayerNormForward<double> layer_norm_forward;
LayerNormGradient<float> layer_norm_gradient;
LayerNormGradient<double> layer_norm_gradient;
}  // namespace cuda

}  // namespace pliant
