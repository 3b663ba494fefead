// Batch normalisation: x [rows c], each channel (column) by statistics of its own.
//
//   y = (x - mean) * rstd * weight + bias,   rstd = 1 / sqrt(var + eps)
//
// Ioffe and Szegedy 2015, "Batch Normalization".
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct BatchNorm2dGeometry {
  std::int64_t rows = 0, c = 0;  // rows = n * h * w
  double eps = 1e-5;
  double momentum = 0.1;      // weight of the batch in the new running statistics
  std::int64_t all_rows = 0;  // of a batch of which these rows are a part, where args say so
};

// Where mean and variance came from: constants, or functions of x that the gradient goes through.
enum class NormStatistics : unsigned char { given, of_batch };

// rstd of a running variance.
template <class T>
PLIANT_HD double given_rstd(const BatchNorm2dGeometry& g, T running_var) {
  return 1 / std::sqrt(static_cast<double>(running_var) + g.eps);
}
// A running statistic after a batch.
template <class T>
PLIANT_HD T running_average(const BatchNorm2dGeometry& g, T old, double of_batch) {
  return static_cast<T>((1 - g.momentum) * static_cast<double>(old) + g.momentum * of_batch);
}

// What belongs to a channel is wide: weight, bias and running statistics.
//
// Statistics of the batch; mean and rstd [c] are those that y was made with, new_mean and new_var
// the new running statistics, infinite where they are beyond the type. Needs rows >= 2.
//
// Of a batch in parts the first call gives `moments` and is given no more than x: of these rows,
// the means [c] and sums of squared deviations [c]. The second is given those of all_rows.
template <class T>
struct BatchNorm2dTrainingForwardArgs {
  const T* x;
  const Wide<T>* weight;
  const Wide<T>* bias;
  const Wide<T>* running_mean;
  const Wide<T>* running_var;
  T* y;
  double* mean;
  double* rstd;
  Wide<T>* new_mean;
  Wide<T>* new_var;
  double* moments = nullptr;
  const double* all_moments = nullptr;
};
template <class T>
using BatchNorm2dTrainingForward = void(const BatchNorm2dGeometry&,
                                        const BatchNorm2dTrainingForwardArgs<T>& args, Workspace&);
// Statistics given; mean and rstd [c] as above.
template <class T>
struct BatchNorm2dForwardArgs {
  const T* x;
  const Wide<T>* weight;
  const Wide<T>* bias;
  const Wide<T>* running_mean;
  const Wide<T>* running_var;
  T* y;
  double* mean;
  double* rstd;
};
template <class T>
using BatchNorm2dForward = void(const BatchNorm2dGeometry&, const BatchNorm2dForwardArgs<T>& args,
                                Workspace&);
// dx, dweight and dbias may be null where not wanted. x and mean are read for dweight and, with
// statistics of the batch, for dx; weight for dx; else they may be null.
//
// Of a batch in parts the first call gives dweight, dbias and `sums` [2 c] of these rows, the second
// dx by those of all_rows.
template <class T>
struct BatchNorm2dGradientArgs {
  const T* x;
  const Wide<T>* weight;
  const double* mean;
  const double* rstd;
  const T* dy;
  T* dx;
  Wide<T>* dweight;
  Wide<T>* dbias;
  double* sums = nullptr;
  const double* all_sums = nullptr;
};
template <class T>
using BatchNorm2dGradient = void(const BatchNorm2dGeometry&, NormStatistics,
                                 const BatchNorm2dGradientArgs<T>& args, Workspace&);

namespace cpu {
extern FloatingKernel<BatchNorm2dTrainingForward> batch_norm2d_training_forward;
extern FloatingKernel<BatchNorm2dForward> batch_norm2d_forward;
extern FloatingKernel<BatchNorm2dGradient> batch_norm2d_gradient;
}  // namespace cpu

namespace cuda {
extern FloatingKernel<BatchNorm2dTrainingForward> batch_norm2d_training_forward;
extern FloatingKernel<BatchNorm2dForward> batch_norm2d_forward;
extern FloatingKernel<BatchNorm2dGradient> batch_norm2d_gradient;
}  // namespace cuda

}  // namespace pliant
