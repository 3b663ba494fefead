#include <pliant/autograd/ops/reduce.h>

#include <algorithm>
#include <numeric>
#include <type_traits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
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

// A reduction by its kernel, for each dtype. That of bfloat16 gives float32; only sums have one.
struct Reducer {
  const char* name;
  Reduction<float>* in_float;
  Reduction<double>* in_double;
  Reduction<BFloat16>* in_bfloat16 = nullptr;
};

template <class T, Reduction<T>* on_cpu, Reduction<T>* on_cuda>
Reduction<T>* reduction(const char* name, Device device) {
  return kernel<Reduction<T>, on_cpu, on_cuda>(name, device);
}
Reducer sum_on(Device where) {
  return {"sum", reduction<float, cpu::sum_forward, cuda::sum_forward>("sum", where),
          reduction<double, cpu::sum_forward, cuda::sum_forward>("sum", where),
          reduction<BFloat16, cpu::sum_forward, cuda::sum_forward>("sum", where)};
}
Reducer max_on(Device where) {
  return {"max", reduction<float, cpu::max_forward, cuda::max_forward>("max", where),
          reduction<double, cpu::max_forward, cuda::max_forward>("max", where)};
}
Reducer min_on(Device where) {
  return {"min", reduction<float, cpu::min_forward, cuda::min_forward>("min", where),
          reduction<double, cpu::min_forward, cuda::min_forward>("min", where)};
}

Tensor reduce_run(const Reducer& reducer, const Tensor& x, int first, int last,
                  const Shape& shape) {
  const DType wide = wide_of(x.dtype());
  Tensor y = Tensor::empty(shape, wide, x.device());
  Workspace workspace(x.device());
  const ReduceGeometry g = geometry_of(x.shape(), first, last);
  visit_any_floating(reducer.name, x.dtype(), [&]<class T>() {
    Reduction<T>* run = nullptr;
    if constexpr (std::is_same_v<T, float>)
      run = reducer.in_float;
    else if constexpr (std::is_same_v<T, double>)
      run = reducer.in_double;
    else
      run = reducer.in_bfloat16;
    run(g, x.data<T>(), y.mutable_data<Wide<T>>(), workspace);
  });
  return y;
}

// Reduces each run of neighbouring axes in turn, the last run first; reduced axes keep extent 1.
Tensor reduce_axes(const Reducer& reducer, const Tensor& x, const std::vector<bool>& reduced) {
  Tensor y = x;
  for (int last = x.rank(); last > 0; --last) {
    if (!reduced[static_cast<std::size_t>(last - 1)]) continue;
    int first = last - 1;
    while (first > 0 && reduced[static_cast<std::size_t>(first - 1)]) --first;
    Shape shape = y.shape();
    for (int i = first; i < last; ++i) shape[i] = 1;
    y = reduce_run(reducer, y, first, last, shape);
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

double count_of(const Shape& shape, const std::vector<bool>& reduced) {
  double count = 1;
  for (int i = 0; i < shape.rank(); ++i)
    if (reduced[static_cast<std::size_t>(i)]) count *= static_cast<double>(shape[i]);
  return count;
}

// The axis of an argmax or argmin, counted from the front; x has elements along it.
int checked_axis(const char* op, const Var& x, int axis) {
  require(x.defined(), op, ": x is undefined");
  require_same_kind(op, x);
  axis = x.shape().axis(axis, op);
  require(x.shape()[axis] > 0, op, ": axis ", axis, " of ", x.shape(), " is empty");
  return axis;
}

// Sums of bfloat16 as float32.
Var wide_sum(const char* name, const Var& x, const std::vector<int>& axes, KeepDim keep) {
  require(x.defined(), name, ": x is undefined");
  require_same_kind(name, x);
  const std::vector<bool> reduced = reduced_axes(name, x.shape(), axes);
  Tensor y = reduce_axes(sum_on(x.device()), x.value(), reduced);
  if (is_bfloat16(x)) y = y.to(DType::float32);  // where no axis was reduced
  const Shape kept = y.shape();
  return record(
      name, y.reshape(without(x.shape(), reduced, keep)), {x}, {},
      [from = x.shape(), kept, dtype = x.dtype()](const StepView& step) -> Vars {
        return {broadcast_to(reshape(convert(step.cotangent(), dtype), kept), from)};
      },
      Derivatives::all);
}

// max or min: what is equal to the result shares its gradient.
Var extreme(Reducer (*reducer_on)(Device), const char* name, const Var& x,
            const std::vector<int>& axes, KeepDim keep) {
  require(x.defined(), name, ": x is undefined");
  if (is_bfloat16(x)) return convert(extreme(reducer_on, name, widened(x), axes, keep), x.dtype());
  require_same_kind(name, x);
  const std::vector<bool> reduced = reduced_axes(name, x.shape(), axes);
  require(count_of(x.shape(), reduced) > 0, name, ": an axis that is reduced is empty (", x.shape(),
          ")");
  const Tensor kept = reduce_axes(reducer_on(x.device()), x.value(), reduced);
  return record(
      name, kept.reshape(without(x.shape(), reduced, keep)), {x}, {x, kept},
      [axes](const StepView& step) -> Vars {
        const Var best = step.saved(1), hit = eq(step.saved(0), best);
        const Var dy = reshape(step.cotangent(), best.shape());
        return {mul(hit, div(dy, sum(hit, axes, KeepDim::yes)))};
      },
      Derivatives::all);
}

}  // namespace

Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  return convert(wide_sum("sum", x, axes, keep), x.dtype());
}

Var mean(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const Var all = wide_sum("mean", x, axes, keep);
  return convert(all / count_of(x.shape(), reduced_axes("mean", x.shape(), axes)), x.dtype());
}

Var variance(const Var& x, const std::vector<int>& axes, const VarianceOptions& options) {
  require(x.defined(), "variance: x is undefined");
  require_same_kind("variance", x);
  if (is_bfloat16(x)) return convert(variance(widened(x), axes, options), x.dtype());
  const double count = count_of(x.shape(), reduced_axes("variance", x.shape(), axes));
  const Var squares = square(x - mean(x, axes, KeepDim::yes));
  return sum(squares, axes, options.keep) / std::max(0.0, count - options.correction);
}

Var max(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  return extreme(max_on, "max", x, axes, keep);
}
Var min(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  return extreme(min_on, "min", x, axes, keep);
}

Var sum(const Var& x) { return sum(x, all_axes(x)); }
Var mean(const Var& x) { return mean(x, all_axes(x)); }
Var variance(const Var& x) { return variance(x, all_axes(x)); }
Var max(const Var& x) { return max(x, all_axes(x)); }
Var min(const Var& x) { return min(x, all_axes(x)); }

Tensor argmax(const Var& x, int axis, KeepDim keep) {
  axis = checked_axis("argmax", x, axis);
  if (is_bfloat16(x)) return argmax(widened(x), axis, keep);
  const std::vector<bool> reduced = reduced_axes("argmax", x.shape(), {axis});
  Tensor index = Tensor::empty(without(x.shape(), reduced, keep), DType::int64, x.device());
  visit_floating("argmax", x.dtype(), [&]<class T>() {
    kernel<ArgmaxForward<T>, cpu::argmax_forward, cuda::argmax_forward>("argmax", x.device())(
        geometry_of(x.shape(), axis, axis + 1), x.value().data<T>(),
        index.mutable_data<std::int64_t>());
  });
  return index;
}

Tensor argmin(const Var& x, int axis, KeepDim keep) {
  axis = checked_axis("argmin", x, axis);
  return argmax(neg(x.value()), axis, keep);
}

Tensor argmax(const Var& x) {
  require(x.defined(), "argmax: x is undefined");
  return argmax(x.value().reshape({x.size()}), 0);
}
Tensor argmin(const Var& x) {
  require(x.defined(), "argmin: x is undefined");
  return argmin(x.value().reshape({x.size()}), 0);
}

}  // namespace pliant
