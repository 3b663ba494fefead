// Activation functions, element by element.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

Var relu(const Var& x);     // max(x, 0); derivative 0 at 0
Var sigmoid(const Var& x);  // 1 / (1 + exp(-x))

}  // namespace pliant
