// Modulation: the masks of the deformable layers (Zhu 2018).
#pragma once

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {

enum class Modulation : unsigned char {
  none,
  sigmoid,        // samples times sigmoid(a branch "mask"): 0.5 at the start, as published
  twice_sigmoid,  // samples times twice that: 1 at the start, as without a mask
};

// The mask that a branch's values make.
inline Var mask_of(const Var& branch, Modulation modulation) {
  const Var mask = sigmoid(branch);
  return modulation == Modulation::twice_sigmoid ? mask * 2.0 : mask;
}

}  // namespace pliant
