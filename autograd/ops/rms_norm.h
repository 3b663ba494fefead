// Root mean square normalisation (Zhang and Sennrich 2019).
#pragma once

#include <optional>

#include <pliant/autograd/tape.h>

namespace pliant {

struct RMSNormOptions {
  std::optional<double> eps = {};  // none: the spacing at 1 of float64 or else float32, as PyTorch
};

// y = x / sqrt(mean(x^2) + eps) * weight with the mean over the last axis. x [... C], weight [C] or
// undefined (ones); C of at least 1. Right for all finite x.
Var rms_norm(const Var& x, const Var& weight = {}, const RMSNormOptions& options = {});

}  // namespace pliant
