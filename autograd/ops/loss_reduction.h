// What becomes of the losses of single elements.
#pragma once

#include <pliant/autograd/ops/reduce.h>

namespace pliant {

enum class LossReduction : unsigned char {
  mean,  // a scalar
  sum,   // a scalar
  none,  // they stay, one for each element
};

inline Var reduce_loss(const Var& losses, LossReduction reduction) {
  if (reduction == LossReduction::none) return losses;
  return reduction == LossReduction::sum ? sum(losses) : mean(losses);
}

}  // namespace pliant
