// GroupNorm: normalisation by groups of channels that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/group_norm.h>
#include <pliant/layers/module.h>

namespace pliant {

// [N ... C] -> the same, see group_norm; training and inference do not differ. Parameters: weight
// [C], ones at the start, and bias [C], zeros.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options = {});

  Var operator()(const Var& x) const;

  Parameter weight, bias;

 private:
  std::int64_t groups_;
  GroupNormOptions options_;
};

}  // namespace pliant
