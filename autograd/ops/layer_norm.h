// Layer normalisation (Ba, Kiros and Hinton 2016).
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

struct LayerNormOptions {
  double eps = 1e-5;
};

// y = (x - mean) / sqrt(var + eps) * weight + bias with the mean and biased variance over the last
// axis. x [... C], weight and bias [C]; C of at least 1.
Var layer_norm(const Var& x, const Var& weight, const Var& bias,
               const LayerNormOptions& options = {});

}  // namespace pliant
