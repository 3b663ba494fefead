// Group normalisation (Wu and He 2018): geometry, formula and signatures.
//
//   y[n,i,j] = (x[n,i,j] - mean[n,g]) * rstd[n,g] * weight[j] + bias[j],   rstd = 1/sqrt(var + eps)
//
// with the mean and biased variance of each image n over its rows and the c/groups neighbouring
// channels j of each group g.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct GroupNormGeometry {
  std::int64_t n, rows, c, groups;  // x and y [n rows c], weight and bias [c]; groups divides c
  double eps;

  PLIANT_HD std::int64_t group_of(std::int64_t channel) const { return channel / (c / groups); }
  PLIANT_HD std::int64_t values() const { return rows * (c / groups); }  // of a group
  PLIANT_HD double count() const { return static_cast<double>(values()); }
  // Where value i of group number `at` of all images lies in x.
  PLIANT_HD std::int64_t place(std::int64_t at, std::int64_t i) const {
    const std::int64_t channels = c / groups;
    return (at / groups * rows + i / channels) * c + at % groups * channels + i % channels;
  }
};

// mean and rstd [n groups]: those that y was made with.
template <class T>
struct GroupNormForwardArgs {
  const T* x;
  const T* weight;
  const T* bias;
  T* y;
  double* mean;
  double* rstd;
};
template <class T>
using GroupNormForward = void(const GroupNormGeometry&, const GroupNormForwardArgs<T>& args,
                              Workspace&);
// Each of dx, dweight and dbias may be null and is then left out.
template <class T>
struct GroupNormGradientArgs {
  const T* x;
  const T* weight;
  const double* mean;
  const double* rstd;
  const T* dy;
  T* dx;
  T* dweight;
  T* dbias;
};
template <class T>
using GroupNormGradient = void(const GroupNormGeometry&, const GroupNormGradientArgs<T>& args,
                               Workspace&);

namespace cpu {
extern FloatKernel<GroupNormForward> group_norm_forward;
extern FloatKernel<GroupNormGradient> group_norm_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<GroupNormForward> group_norm_forward;
extern FloatKernel<GroupNormGradient> group_norm_gradient;
}  // namespace cuda

}  // namespace pliant
