// The largest and smallest elements, and where they are.
#include <pliant/autograd/internal/binary.h>
#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/reduce_axes.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

enum class Extreme : unsigned char { max, min };

const char* name_of(Extreme which) { return which == Extreme::max ? "max" : "min"; }

// One run; reduced axes keep extent 1.
template <class T>
void extreme_run(Extreme which, const ReduceGeometry& g, const Tensor& x, Tensor& y) {
  Workspace workspace(x.device());
  const auto run = [&](Reduction<T>* reduce) {
    reduce(g, x.data<T>(), y.mutable_data<T>(), workspace);
  };
  if (which == Extreme::max)
    run(kernel<Reduction<T>, cpu::max_forward, cuda::max_forward>("max", x.device()));
  else
    run(kernel<Reduction<T>, cpu::min_forward, cuda::min_forward>("min", x.device()));
}

Tensor extreme_axes(Extreme which, const Tensor& x, const std::vector<bool>& reduced) {
  const std::vector<AxisRun> runs = runs_of(reduced);
  if (runs.empty()) return x.clone();
  Tensor y = x;
  for (const AxisRun& run : runs) {
    Tensor to = Tensor::empty(kept_shape(y.shape(), run), y.dtype(), y.device());
    visit_number(name_of(which), y.dtype(), [&]<class T>() {
      extreme_run<T>(which, geometry_of(y.shape(), run.begin, run.end), y, to);
    });
    y = to;
  }
  return y;
}

// What is equal to the result shares its gradient.
Var extreme(Extreme which, const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const char* const name = name_of(which);
  const ErrorOp here(name);
  require(x.defined(), name, ": x is undefined");
  if (is_bfloat16(x)) return convert(extreme(which, widened(x), axes, keep), x.dtype());
  const std::vector<bool> reduced = reduced_axes(name, x.shape(), axes);
  require(count_of(x.shape(), reduced) > 0, name, ": an axis that is reduced is empty (", x.shape(),
          ")");
  const Tensor kept = extreme_axes(which, as_number(x), reduced);
  return record(
      name, kept.reshape(without(x.shape(), reduced, keep)), {x}, {x, kept},
      [axes](const NodeView& node) -> Vars {
        const Var best = node.saved(1);
        const Var hit = compute_binary<binary_op::Same>("max", node.saved(0), best);
        const Var dy = reshape(node.cotangent(), best.shape());
        return {mul(hit, div(dy, sum(hit, axes, KeepDim::yes)))};
      },
      Derivatives::all);
}

// The axis of an argmax or argmin, counted from the front; x has elements along it.
int checked_axis(const char* op, const Var& x, int axis) {
  require(x.defined(), op, ": x is undefined");
  axis = x.shape().axis(axis, op);
  require(x.shape()[axis] > 0, op, ": axis ", axis, " of ", x.shape(), " is empty");
  return axis;
}

// x in the opposite order: ~x of integers, of which the least has no negative.
Var reversed(const Var& x) {
  return is_floating(x.dtype()) ? neg(x.value()) : sub(scalar_like(-1.0, x), x.value());
}

// The elements that an argmax or argmin names.
ValuesAndIndices named(const Var& x, int axis, Tensor kept_indices, KeepDim keep) {
  const Var values = gather(is_floating(x.dtype()) ? x : as_number(x), axis, kept_indices);
  if (keep == KeepDim::yes) return {values, std::move(kept_indices)};
  std::vector<bool> reduced(static_cast<std::size_t>(x.rank()), false);
  reduced[static_cast<std::size_t>(x.shape().axis(axis, "max"))] = true;
  const Shape shape = without(x.shape(), reduced, keep);
  return {reshape(values, shape), kept_indices.reshape(shape)};
}

}  // namespace

Var max(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  return extreme(Extreme::max, x, axes, keep);
}
Var min(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  return extreme(Extreme::min, x, axes, keep);
}
Var max(const Var& x) { return max(x, all_axes(x)); }
Var min(const Var& x) { return min(x, all_axes(x)); }

ValuesAndIndices max_with_indices(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("max_with_indices");
  return named(x, axis, argmax(x, axis, KeepDim::yes), keep);
}
ValuesAndIndices min_with_indices(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("min_with_indices");
  return named(x, axis, argmin(x, axis, KeepDim::yes), keep);
}

Tensor argmax(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("argmax");
  axis = checked_axis("argmax", x, axis);
  if (is_bfloat16(x)) return argmax(widened(x), axis, keep);
  const std::vector<bool> reduced = reduced_axes("argmax", x.shape(), {axis});
  Tensor index = Tensor::empty(without(x.shape(), reduced, keep), DType::int64, x.device());
  if (index.size() == 0) return index;
  const Tensor numbers = as_number(x);
  visit_number("argmax", numbers.dtype(), [&]<class T>() {
    kernel<ArgmaxForward<T>, cpu::argmax_forward, cuda::argmax_forward>("argmax", x.device())(
        geometry_of(x.shape(), axis, axis + 1), numbers.data<T>(),
        index.mutable_data<std::int64_t>());
  });
  return index;
}

Tensor argmin(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("argmin");
  axis = checked_axis("argmin", x, axis);
  return argmax(reversed(x), axis, keep);
}

Tensor argmax(const Var& x) {
  require(x.defined(), "argmax: x is undefined");
  return argmax(x.value().reshape({x.size()}), 0);
}
Tensor argmin(const Var& x) {
  const ErrorOp here("argmin");
  require(x.defined(), "argmin: x is undefined");
  return argmin(x.value().reshape({x.size()}), 0);
}

}  // namespace pliant
