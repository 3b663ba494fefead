// Group normalisation (Wu and He 2018): geometry, formula and signatures.
//
//   y[n,i,j] = (x[n,i,j] - mean[n,g]) * rstd[n,g] * weight[j] + bias[j],   rstd = 1/sqrt(var + eps)
//
// with the mean and biased variance of each image n over its rows and the c/groups neighbouring
// channels j of each group g.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct GroupNormGeometry {
  std::int64_t n, rows, c, groups;  // x and y [n rows c], weight and bias [c]; groups divides c
  double eps;

  PLIANT_HD std::int64_t group_of(std::int64_t channel) const { return channel / (c / groups); }
  PLIANT_HD double count() const {  // values a group
    const std::int64_t values = rows * (c / groups);
    return static_cast<double>(values);
  }
};

// What makes a channel's x into y, see normalised().
template <class T>
struct GroupNormScale {
  T scale, offset;
};
// What rounding the mean to T lost goes into the offset.
template <class T>
PLIANT_HD GroupNormScale<T> group_scale(T weight, T bias, T rstd, T mean, double exact_mean) {
  const T scale = weight * rstd;
  const double lost = static_cast<double>(mean) - exact_mean;
  return {scale, bias + static_cast<T>(lost) * scale};
}

// dx = weight * rstd * dy + by_x * (x - mean) + constant, per group.
template <class T>
struct GroupNormSlope {
  T by_x, constant;

  // by_dy = weight * rstd
  PLIANT_HD T dx(T by_dy, T dy, T deviation) const {
    return by_dy * dy + by_x * deviation + constant;
  }
};
// From the sums over the group of weight * dy and of weight * dy * (x - mean):
//   dx = rstd * (s - mean(s) - xhat * mean(s * xhat)), s = weight * dy, xhat = (x - mean) * rstd.
template <class T>
PLIANT_HD GroupNormSlope<T> group_slope(T rstd, T sum_s, T sum_s_x, T count) {
  return {-rstd * rstd * rstd * sum_s_x / count, -rstd * sum_s / count};
}

// mean and rstd [n groups]: those that y was made with.
template <class T>
using GroupNormForward = void(const GroupNormGeometry&, const T* x, const T* weight, const T* bias,
                              T* y, T* mean, T* rstd, Workspace&);
// Each of dx, dweight and dbias may be null and is then left out.
template <class T>
using GroupNormGradient = void(const GroupNormGeometry&, const T* x, const T* weight, const T* mean,
                               const T* rstd, const T* dy, T* dx, T* dweight, T* dbias, Workspace&);

namespace cpu {
GroupNormForward<float> group_norm_forward;
GroupNormForward<double> group_norm_forward;
GroupNormGradient<float> group_norm_gradient;
GroupNormGradient<double> group_norm_gradient;
}  // namespace cpu

namespace cuda {
GroupNormForward<float> group_norm_forward;
GroupNormForward<double> group_norm_forward;
GroupNormGradient<float> group_norm_gradient;
GroupNormGradient<double> group_norm_gradient;
}  // namespace cuda

}  // namespace pliant
