// Sums, means and the index of the largest element, over chosen axes.
#pragma once

#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

enum class KeepDim : unsigned char { no, yes };  // whether a reduced axis stays, with extent 1

// Over all elements: a scalar.
Var sum(const Var& x);
Var mean(const Var& x);
// Over the axes given (negative ones count from the end; none given: nothing is reduced). The
// mean of nothing is NaN.
Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);
Var mean(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);

// int64 indices of the first largest element along one axis; NaN counts as largest.
Tensor argmax(const Var& x, int axis, KeepDim keep = KeepDim::no);

}  // namespace pliant
