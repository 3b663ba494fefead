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
Initialiser normal(double deviation, double mean = 0);
// Normal with standard deviation sqrt(2 / fan_in): keeps the size of activations through layers of
// ReLU (He et al. 2015).
Initialiser he_normal(std::int64_t fan_in);

// ---- by the shape of the weight: [out .. in], so [out in] or [out R S in/groups] ----
// fan_in is the number of weights that one output sums over, fan_out that of the weights that read
// one input channel. A tensor of fewer than 2 axes is an Error.

enum class Fan : unsigned char { in, out };

// What follows the layer: decides by how much it must enlarge to keep variances.
enum class Nonlinearity : unsigned char { linear, sigmoid, tanh, relu, leaky_relu, selu };
// 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + negative_slope^2)), 3/4. (torch.nn.init.calculate_gain)
double gain(Nonlinearity nonlinearity, double negative_slope = 0.01);

struct KaimingOptions {
  Fan fan = Fan::in;  // in keeps the variance forwards, out backwards
  Nonlinearity nonlinearity = Nonlinearity::relu;
  double negative_slope = 0.01;  // of leaky_relu
};
// Deviation gain / sqrt(fan); uniform: within sqrt(3) times that. (He et al. 2015)
Initialiser kaiming_normal(const KaimingOptions& options = {});
Initialiser kaiming_uniform(const KaimingOptions& options = {});

// Deviation gain * sqrt(2 / (fan_in + fan_out)); uniform: within sqrt(3) times that. (Glorot and
// Bengio 2010)
Initialiser xavier_normal(double gain = 1);
Initialiser xavier_uniform(double gain = 1);

struct TruncatedNormalOptions {
  double mean = 0;
  double deviation = 1;
  double low = -2, high = 2;  // the values' own bounds, low < high; may be infinite
};
// Normal, but only from [low, high]: the normal quantile of a uniform number between the bounds'
// probabilities. Its own deviation is smaller than `deviation`. Bounds between which no
// probability is left (say both 40 deviations away) are an Error.
Initialiser truncated_normal(const TruncatedNormalOptions& options = {});

// As a matrix [first axis, all others] its rows are orthogonal and `gain` long, or its columns
// where there are fewer of these (Saxe et al. 2014); see orthogonal_matrix().
Initialiser orthogonal(double gain = 1);

// Output channel c of a convolution of odd kernel and stride 1 is input channel c: 1 at the centre
// tap [c R/2 S/2 c], else 0. The layer starts as the identity. (torch.nn.init.dirac_)
Initialiser identity();

}  // namespace init
}  // namespace pliant
