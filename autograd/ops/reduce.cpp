#include <pliant/autograd/ops/reduce.h>

#include <algorithm>
#include <numeric>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/reduce.h>

namespace pliant {
namespace {

std::vector<int> all_axes(const Var& x) {
  std::vector<int> axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Which axes are reduced; one named twice is an Error.
std::vector<bool> reduced_axes(const char* op, const Shape& shape, const std::vector<int>& axes) {
  std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), false);
  for (const int axis : axes) {
    const auto at = static_cast<std::size_t>(shape.axis(axis, op));
    require(!reduced[at], op, ": axis ", axis, " is named twice");
    reduced[at] = true;
  }
  return reduced;
}

// The axes first .. last-1 as the middle of three.
ReduceGeometry geometry_of(const Shape& shape, int first, int last) {
  ReduceGeometry g;
  for (int i = 0; i < first; ++i) g.outer *= shape[i];
  for (int i = first; i < last; ++i) g.reduced *= shape[i];
  for (int i = last; i < shape.rank(); ++i) g.inner *= shape[i];
  return g;
}

Tensor sum_run(const Tensor& x, int first, int last, const Shape& shape) {
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  Workspace workspace(x.device());
  visit_floating("sum", x.dtype(), [&]<class T>() {
    kernel<SumForward<T>, cpu::sum_forward, cuda::sum_forward>("sum", x.device())(
        geometry_of(x.shape(), first, last), x.data<T>(), y.mutable_data<T>(), workspace);
  });
  return y;
}

// Reduces each run of neighbouring axes in turn, the last run first; reduced axes keep extent 1.
Tensor sum_axes(const Tensor& x, const std::vector<bool>& reduced) {
  Tensor y = x;
  for (int last = x.rank(); last > 0; --last) {
    if (!reduced[static_cast<std::size_t>(last - 1)]) continue;
    int first = last - 1;
    while (first > 0 && reduced[static_cast<std::size_t>(first - 1)]) --first;
    Shape shape = y.shape();
    for (int i = first; i < last; ++i) shape[i] = 1;
    y = sum_run(y, first, last, shape);
    last = first + 1;
  }
  return y;
}

Shape without(const Shape& shape, const std::vector<bool>& reduced, KeepDim keep) {
  Shape out;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!reduced[static_cast<std::size_t>(i)])
      out.push_back(shape[i]);
    else if (keep == KeepDim::yes)
      out.push_back(1);
  }
  return out;
}

}  // namespace

Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  require(x.defined(), "sum: x is undefined");
  const std::vector<bool> reduced = reduced_axes("sum", x.shape(), axes);
  Tensor y = sum_axes(x.value(), reduced);
  const Shape kept = y.shape();
  return record("sum", y.reshape(without(x.shape(), reduced, keep)), {x}, {},
                [from = x.shape(), kept](const StepView& step) -> Vars {
                  return {broadcast_to(reshape(step.cotangent(), kept), from)};
                });
}

Var mean(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  require(x.defined(), "mean: x is undefined");
  const std::vector<bool> reduced = reduced_axes("mean", x.shape(), axes);
  double count = 1;
  for (int i = 0; i < x.rank(); ++i)
    if (reduced[static_cast<std::size_t>(i)]) count *= static_cast<double>(x.shape()[i]);
  return sum(x, axes, keep) / count;
}

Var sum(const Var& x) { return sum(x, all_axes(x)); }
Var mean(const Var& x) { return mean(x, all_axes(x)); }

Tensor argmax(const Var& x, int axis, KeepDim keep) {
  require(x.defined(), "argmax: x is undefined");
  axis = x.shape().axis(axis, "argmax");
  require(x.shape()[axis] > 0, "argmax: axis ", axis, " of ", x.shape(), " is empty");
  const std::vector<bool> reduced = reduced_axes("argmax", x.shape(), {axis});
  Tensor index = Tensor::empty(without(x.shape(), reduced, keep), DType::int64, x.device());
  visit_floating("argmax", x.dtype(), [&]<class T>() {
    kernel<ArgmaxForward<T>, cpu::argmax_forward, cuda::argmax_forward>("argmax", x.device())(
        geometry_of(x.shape(), axis, axis + 1), x.value().data<T>(),
        index.mutable_data<std::int64_t>());
  });
  return index;
}

}  // namespace pliant
