// Initialisers: how a parameter or buffer gets its first values.
#pragma once

#include <cstdint>
#include <functional>

#include <pliant/core/random.h>
#include <pliant/core/tensor.h>

namespace pliant {

// Fills a float32 tensor on the CPU; a pure function of the key.
using Initialiser = std::function<void(Tensor&, const Rng&)>;

namespace init {

Initialiser constant(double value);
inline Initialiser zeros() { return constant(0); }
inline Initialiser ones() { return constant(1); }
// Uniform in [-bound, bound).
Initialiser uniform(double bound);
// Normal with standard deviation sqrt(2 / fan_in): keeps the size of activations through layers of
// ReLU (He et al. 2015).
Initialiser he_normal(std::int64_t fan_in);

}  // namespace init
}  // namespace pliant
