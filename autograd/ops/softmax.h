// Softmax along one axis, and the logarithm of a sum of powers.
#pragma once

#include <vector>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/tape.h>

namespace pliant {

// exp(x) / sum(exp(x)) along `axis` (negative ones count from the end), and its logarithm
// x - log(sum(exp(x))); both are stable for x of any finite size. x has rank >= 1.
Var softmax(const Var& x, int axis = -1);
Var log_softmax(const Var& x, int axis = -1);

// log(sum(exp(x))) over the axes, stable for x of any size; of -infinities -infinity. An axis that
// is reduced has elements.
Var logsumexp(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);

}  // namespace pliant
