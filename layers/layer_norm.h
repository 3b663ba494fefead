// LayerNorm: normalisation over the last axis that owns its weight and bias.
#pragma once

#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/layers/module.h>

namespace pliant {

// [... C] -> the same, see layer_norm. Parameters: weight [C], ones at the start, and bias [C],
// zeros.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(std::int64_t channels, const LayerNormOptions& options = {});

  Var operator()(const Var& x) const;

  Parameter weight, bias;

 private:
  LayerNormOptions options_;
};

}  // namespace pliant
