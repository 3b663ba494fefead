// Sums, means, variances, the largest and smallest elements and where they are, over chosen axes.
//
// Sums are added up in float64, divided there if they are means, and rounded once:
// docs/numerics.md. Sums, products, extremes and where they are serve integers too, as int64;
// beyond its range sums and products wrap around.
#pragma once

#include <concepts>
#include <vector>

#include <pliant/autograd/ops/gather.h>

namespace pliant {

enum class KeepDim : unsigned char { no, yes };  // whether a reduced axis stays, with extent 1

// Over all elements: a scalar.
Var sum(const Var& x);
Var mean(const Var& x);
// Over the axes given (negative ones count from the end; none given: nothing is reduced). The
// mean of nothing is NaN.
Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);
Var mean(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);
template <std::integral Axis>
Var sum(const Var& x, Axis axis, KeepDim keep = KeepDim::no) {
  return sum(x, std::vector<int>{static_cast<int>(axis)}, keep);
}
template <std::integral Axis>
Var mean(const Var& x, Axis axis, KeepDim keep = KeepDim::no) {
  return mean(x, std::vector<int>{static_cast<int>(axis)}, keep);
}

// Over all elements, of x * x: squares of float32 do not overflow on the way, only a result can.
Var sum_of_squares(const Var& x);
Var mean_of_squares(const Var& x);

// x minus its mean over the axes, of which no digit is lost.
Var centred(const Var& x, const std::vector<int>& axes);

struct VarianceOptions {
  double correction = 1;  // what is taken off the number of elements: 0 for a whole population
  KeepDim keep = KeepDim::no;
};
// Sum of the squared distances from the mean over n - correction, or over 0 where that is less: of
// one element with the usual correction NaN.
Var variance(const Var& x, const std::vector<int>& axes, const VarianceOptions& options = {});
Var variance(const Var& x);  // over all elements, correction 1

// The square root of the variance.
Var stddev(const Var& x, const std::vector<int>& axes, const VarianceOptions& options = {});

// The product of the elements along an axis; of none 1. The gradient is right where one of them is
// 0, too.
Var prod(const Var& x, int axis, KeepDim keep = KeepDim::no);

// The largest (smallest) element; NaN counts as either. Equals share the gradient evenly, and so do
// NaNs. Of nothing: an Error.
Var max(const Var& x);
Var min(const Var& x);
Var max(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);
Var min(const Var& x, const std::vector<int>& axes, KeepDim keep = KeepDim::no);

// The largest (smallest) element along one axis and where it is, as argmax (argmin) says; the
// gradient goes to that one alone.
ValuesAndIndices max_with_indices(const Var& x, int axis, KeepDim keep = KeepDim::no);
ValuesAndIndices min_with_indices(const Var& x, int axis, KeepDim keep = KeepDim::no);

// int64 indices of the first largest (smallest) element along one axis; NaN counts as either.
Tensor argmax(const Var& x, int axis, KeepDim keep = KeepDim::no);
Tensor argmin(const Var& x, int axis, KeepDim keep = KeepDim::no);
// Among all elements, in row-major order: a scalar.
Tensor argmax(const Var& x);
Tensor argmin(const Var& x);

}  // namespace pliant
