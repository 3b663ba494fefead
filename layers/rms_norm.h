// RMSNorm: normalisation by the root mean square that owns its weight.
#pragma once

#include <pliant/autograd/ops/rms_norm.h>
#include <pliant/layers/module.h>

namespace pliant {

// [... C] -> the same, see rms_norm. Parameter: weight [C], ones at the start.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(std::int64_t channels, const RMSNormOptions& options = {});

  Var operator()(const Var& x) const;

  Parameter weight;

 private:
  RMSNormOptions options_;
};

}  // namespace pliant
