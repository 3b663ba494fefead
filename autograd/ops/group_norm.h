// Group normalisation (Wu and He 2018).
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

struct GroupNormOptions {
  double eps = 1e-5;
};

// y = (x - mean) / sqrt(var + eps) * weight + bias with the mean and biased variance of each image
// and group over the C/groups neighbouring channels of the group and all axes between the first and
// the last. x [N ... C], weight and bias [C]; groups divides C. groups = C is instance
// normalisation, groups = 1 normalises an image as one.
Var group_norm(const Var& x, std::int64_t groups, const Var& weight, const Var& bias,
               const GroupNormOptions& options = {});

}  // namespace pliant
