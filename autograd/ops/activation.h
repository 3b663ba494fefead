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
// Its approximation, x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
Var gelu_tanh(const Var& x);
Var mish(const Var& x);  // x tanh(softplus(x)) (Misra 2019)
// x clamp(x + 3, 0, 6) / 6 (Howard et al. 2019); at -3 and 3 the derivative is 0 and 1.
Var hardswish(const Var& x);
// x where it is positive, else weight x (He et al. 2015): one weight [1] or one a channel [C]. The
// derivative at 0 is the weight.
Var prelu(const Var& x, const Var& weight);
// The first half of the last axis, times the sigmoid of the second (Dauphin et al. 2017).
Var glu(const Var& x);

}  // namespace pliant
