// Batch normalisation: x [rows c], each channel (column) by statistics of its own.
//
//   y = (x - mean) * rstd * weight + bias,   rstd = 1 / sqrt(var + eps)
//
// Ioffe and Szegedy 2015, "Batch Normalization"; statistics are combined by the pairwise rule of
// Chan, Golub and LeVeque 1983, "Algorithms for Computing the Sample Variance".
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct BatchNorm2dGeometry {
  std::int64_t rows = 0, c = 0;  // rows = n * h * w
  double eps = 1e-5;
  double momentum = 0.1;  // weight of the batch in the new running statistics
};

// Where mean and variance came from: constants, or functions of x that the gradient goes through.
enum class NormStatistics : unsigned char { given, of_batch };

// Mean and sum of squared deviations of two sets of values, na and nb of them, as those of both:
// b joins a. na + nb >= 1.
template <class T>
PLIANT_HD void join_moments(T na, T& mean_a, T& m2_a, T nb, T mean_b, T m2_b) {
  const T delta = mean_b - mean_a, share = nb / (na + nb);
  mean_a += delta * share;
  m2_a += m2_b + delta * delta * (na * share);
}

template <class T>
PLIANT_HD T reciprocal_deviation(T variance, T eps) {
  return T(1) / std::sqrt(variance + eps);
}

// The mean is taken off first, so that nothing cancels where it is far larger than the deviation.
template <class T>
PLIANT_HD T normalised(T x, T mean, T scale, T offset) {
  return (x - mean) * scale + offset;
}

// dx = by_dy * dy + by_x * (x - mean) + constant, per channel.
template <class T>
struct BatchNorm2dSlope {
  T by_dy, by_x, constant;
};
// From the sums over the rows of dy and of dy * xhat, xhat = (x - mean) * rstd:
//   dx = weight * rstd * (dy - sum_dy/rows - xhat * sum_dy_xhat/rows).
template <class T>
PLIANT_HD BatchNorm2dSlope<T> batch_slope(T weight, T rstd, T sum_dy, T sum_dy_xhat, T rows) {
  const T by_dy = weight * rstd;
  return {by_dy, -by_dy * rstd * sum_dy_xhat / rows, -by_dy * sum_dy / rows};
}

// What belongs to a channel is wide: weight, bias and all statistics.
//
// Statistics of the batch; mean and rstd [c] are those that y was made with, new_mean and new_var
// the new running statistics. Needs rows >= 2.
template <class T>
using BatchNorm2dTrainingForward = void(const BatchNorm2dGeometry&, const T* x,
                                        const Wide<T>* weight, const Wide<T>* bias,
                                        const Wide<T>* running_mean, const Wide<T>* running_var,
                                        T* y, Wide<T>* mean, Wide<T>* rstd, Wide<T>* new_mean,
                                        Wide<T>* new_var, Workspace&);
// Statistics given; rstd [c] is an output.
template <class T>
using BatchNorm2dForward = void(const BatchNorm2dGeometry&, const T* x, const Wide<T>* weight,
                                const Wide<T>* bias, const Wide<T>* mean, const Wide<T>* var, T* y,
                                Wide<T>* rstd, Workspace&);
// dx, dweight and dbias may be null where not wanted. x and mean are read for dweight and, with
// statistics of the batch, for dx; weight for dx; else they may be null.
template <class T>
using BatchNorm2dGradient = void(const BatchNorm2dGeometry&, NormStatistics, const T* x,
                                 const Wide<T>* weight, const Wide<T>* mean, const Wide<T>* rstd,
                                 const T* dy, T* dx, Wide<T>* dweight, Wide<T>* dbias, Workspace&);

namespace cpu {
BatchNorm2dTrainingForward<float> batch_norm2d_training_forward;
BatchNorm2dTrainingForward<double> batch_norm2d_training_forward;
BatchNorm2dTrainingForward<BFloat16> batch_norm2d_training_forward;
BatchNorm2dForward<float> batch_norm2d_forward;
BatchNorm2dForward<double> batch_norm2d_forward;
BatchNorm2dForward<BFloat16> batch_norm2d_forward;
BatchNorm2dGradient<float> batch_norm2d_gradient;
BatchNorm2dGradient<double> batch_norm2d_gradient;
BatchNorm2dGradient<BFloat16> batch_norm2d_gradient;
}  // namespace cpu

namespace cuda {
BatchNorm2dTrainingForward<float> batch_norm2d_training_forward;
BatchNorm2dTrainingForward<double> batch_norm2d_training_forward;
BatchNorm2dTrainingForward<BFloat16> batch_norm2d_training_forward;
BatchNorm2dForward<float> batch_norm2d_forward;
BatchNorm2dForward<double> batch_norm2d_forward;
BatchNorm2dForward<BFloat16> batch_norm2d_forward;
BatchNorm2dGradient<float> batch_norm2d_gradient;
BatchNorm2dGradient<double> batch_norm2d_gradient;
BatchNorm2dGradient<BFloat16> batch_norm2d_gradient;
}  // namespace cuda

}  // namespace pliant
