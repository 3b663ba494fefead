// Layer normalisation (Ba, Kiros and Hinton 2016), and about zero instead of the mean (Zhang and
// Sennrich 2019): geometry, formula and signatures.
//
//   y[i,j] = (x[i,j] - mean[i]) / sqrt(var[i] + eps) * weight[j] + bias[j]
//
// with the mean and biased variance of each row i over its c elements; or with the mean 0 and the
// mean square.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

enum class NormAbout : unsigned char { mean, zero };

struct LayerNormGeometry {
  std::int64_t rows, c;  // x and y [rows c], weight and bias [c]
  double eps;
  NormAbout about = NormAbout::mean;
};

template <class T>
PLIANT_HD NormRow<T> row_statistics(const LayerNormGeometry& g, const T* x) {
  if (g.about == NormAbout::zero)
    return {0.0, row_squares(x, g.c, g.eps).rstd(static_cast<double>(g.c), g.eps)};
  const Moments moments = moments_again<T>(
      row_moments(x, g.c), g.eps, g.c, [=](std::int64_t i) { return static_cast<double>(x[i]); });
  return {moments.true_mean(), moments.rstd(static_cast<double>(g.c), g.eps)};
}

template <class T>
PLIANT_HD void normalise_row(const LayerNormGeometry& g, const T* x, const T* weight, const T* bias,
                             T* y) {
  const NormScale<T> bare = norm_scale(row_statistics(g, x), T(1), T(0));
  if (bias == nullptr)
    for (std::int64_t i = 0; i < g.c; ++i) y[i] = bare.y(x[i]) * weight[i];
  else
    for (std::int64_t i = 0; i < g.c; ++i) y[i] = bare.y(x[i]) * weight[i] + bias[i];
}

// dx of one row.
template <class T>
PLIANT_HD void row_gradient(const LayerNormGeometry& g, const NormRow<T>& row, const T* x,
                            const T* weight, const T* dy, T* dx) {
  const auto count = static_cast<double>(g.c);
  const double sum = g.about == NormAbout::zero
                         ? 0.0
                         : sum_in_runs<T>(g.c, [=](std::int64_t i) { return dy[i] * weight[i]; });
  const double sum_x =
      sum_in_runs<T>(g.c, [=](std::int64_t i) { return dy[i] * weight[i] * row.deviation(x[i]); });
  const NormSlope<T> slope = norm_slope(row, T(1), sum / count, sum_x / count);
  for (std::int64_t i = 0; i < g.c; ++i) dx[i] = slope.dx(x[i], dy[i] * weight[i]);
}

// bias may be null.
template <class T>
using LayerNormForward = void(const LayerNormGeometry&, const T* x, const T* weight, const T* bias,
                              T* y);
// Each of dx and dweight may be null and is then left out.
template <class T>
using LayerNormGradient = void(const LayerNormGeometry&, const T* x, const T* weight, const T* dy,
                               T* dx, T* dweight, Workspace&);

namespace cpu {
extern FloatKernel<LayerNormForward> layer_norm_forward;
extern FloatKernel<LayerNormGradient> layer_norm_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<LayerNormForward> layer_norm_forward;
extern FloatKernel<LayerNormGradient> layer_norm_gradient;
}  // namespace cuda

}  // namespace pliant
