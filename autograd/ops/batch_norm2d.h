// Batch normalisation, above all over NHWC maps (Ioffe and Szegedy 2015).
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;  // weight of the new batch in the running statistics
};

struct BatchStatistics {
  Var y;                // normalised, of the shape of x
  Tensor running_mean;  // the new statistics [C]; the caller decides whether to keep them
  Tensor running_var;
};

// y = (x - mean) / sqrt(var + eps) * weight + bias with the mean and biased variance of each
// channel over the batch; new running = (1 - momentum) * running + momentum * batch, the running
// variance from the unbiased one. x [N H W C], or of any rank from 2 with the channels last, as [N
// C] behind a linear layer; weight, bias, running_mean, running_var [C]. Fewer than two values per
// channel are an Error. On a tape that sees a part of a batch (TapeOptions::part) the statistics are
// of the whole. y and the gradients are right for all finite x; a running variance beyond
// the type is infinite, which the layer makes an Error (not on a GPU).
BatchStatistics batch_norm2d_training(const Var& x, const Var& weight, const Var& bias,
                                      const Tensor& running_mean, const Tensor& running_var,
                                      const BatchNorm2dOptions& options = {});

// The same with given statistics; the momentum says nothing here.
Var batch_norm2d(const Var& x, const Var& weight, const Var& bias, const Tensor& running_mean,
                 const Tensor& running_var, const BatchNorm2dOptions& options = {});

}  // namespace pliant
