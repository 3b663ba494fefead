// GELU (Hendrycks and Gimpel 2016).
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// x times the probability that a standard normal variable is below x: the exact form, by erf.
Var gelu(const Var& x);

}  // namespace pliant
