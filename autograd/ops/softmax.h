// Softmax along one axis.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// exp(x) / sum(exp(x)) along `axis` (negative ones count from the end), and its logarithm
// x - log(sum(exp(x))); both are stable for x of any finite size. x has rank >= 1.
Var softmax(const Var& x, int axis = -1);
Var log_softmax(const Var& x, int axis = -1);

}  // namespace pliant
