// Activation functions, element by element.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

Var relu(const Var& x);  // max(x, 0); derivative 0 at 0. NaN stays, with derivative 1
// x where it is positive, else negative_slope x; at 0 the derivative is negative_slope.
Var leaky_relu(const Var& x, double negative_slope = 0.01);
Var sigmoid(const Var& x);  // 1 / (1 + exp(-x))
Var tanh(const Var& x);
Var silu(const Var& x);      // x sigmoid(x) (Elfwing et al. 2018; also called swish)
Var softplus(const Var& x);  // log(1 + exp(x)), for x of any size
// x times the probability that a standard normal variable is below x: the exact form, by erf
// (Hendrycks and Gimpel 2016).
Var gelu(const Var& x);

}  // namespace pliant
