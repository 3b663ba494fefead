#include <pliant/autograd/ops/reduce.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/binary.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/reduce.h>

namespace pliant {
namespace {

std::vector<int> all_axes(const Var& x) {
  if (!x.defined()) return {};  // which the op says
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

// Axes begin .. end-1.
struct AxisRun {
  int begin, end;
};

// The runs of neighbouring axes that are reduced, the last run first.
std::vector<AxisRun> runs_of(const std::vector<bool>& reduced) {
  std::vector<AxisRun> runs;
  for (int end = static_cast<int>(reduced.size()); end > 0; --end) {
    if (!reduced[static_cast<std::size_t>(end - 1)]) continue;
    int begin = end - 1;
    while (begin > 0 && reduced[static_cast<std::size_t>(begin - 1)]) --begin;
    runs.push_back({begin, end});
    end = begin + 1;
  }
  return runs;
}

Shape kept_shape(Shape shape, const AxisRun& run) {
  for (int i = run.begin; i < run.end; ++i) shape[i] = 1;
  return shape;
}

enum class Terms : unsigned char { elements, squares };

// One run of a sum. Squares are added up to float64.
Tensor sum_run(const Tensor& x, const AxisRun& run, double divisor, DType to, Terms terms) {
  Tensor y = Tensor::empty(kept_shape(x.shape(), run), to, x.device());
  if (y.size() == 0) return y;
  Workspace workspace(x.device());
  ReduceGeometry g = geometry_of(x.shape(), run.begin, run.end);
  g.divisor = divisor;
  const auto apply = [&]<class T, class To>(const T* from, To* into) {
    constexpr bool can_square = std::is_same_v<To, double> && !std::is_same_v<T, BFloat16>;
    if constexpr (can_square)
      if (terms == Terms::squares)
        return kernel<Reduction<T, To>, cpu::sum_of_squares_forward, cuda::sum_of_squares_forward>(
            "sum", x.device())(g, from, into, workspace);
    kernel<Reduction<T, To>, cpu::sum_forward, cuda::sum_forward>("sum", x.device())(g, from, into,
                                                                                     workspace);
  };
  visit_any_floating("sum", x.dtype(), [&]<class T>() {
    if (to == DType::float64)
      apply(x.data<T>(), y.mutable_data<double>());
    else
      apply(x.data<T>(), y.mutable_data<float>());
  });
  return y;
}

// The sum over the reduced axes, which keep extent 1, divided and rounded once: to `to`, which is
// float64 or, of a float32 or bfloat16 x, float32.
Tensor sum_axes(const Tensor& x, const std::vector<bool>& reduced, double divisor, DType to,
                Terms terms = Terms::elements) {
  std::vector<AxisRun> runs = runs_of(reduced);
  if (runs.empty() && terms == Terms::elements && divisor == 1)
    return x.dtype() == to ? x.clone() : x.to(to);
  while (runs.size() < (terms == Terms::squares ? 2 : 1)) runs.push_back({0, 0});
  Tensor y = x;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool is_last = i + 1 == runs.size();
    y = sum_run(y, runs[i], is_last ? divisor : 1, is_last ? to : DType::float64,
                i == 0 ? terms : Terms::elements);
  }
  return y;
}

// The kernels of max or min.
struct Extreme {
  const char* name;
  Reduction<float>* in_float;
  Reduction<double>* in_double;
};
Extreme max_on(Device where) {
  return {"max", kernel<Reduction<float>, cpu::max_forward, cuda::max_forward>("max", where),
          kernel<Reduction<double>, cpu::max_forward, cuda::max_forward>("max", where)};
}
Extreme min_on(Device where) {
  return {"min", kernel<Reduction<float>, cpu::min_forward, cuda::min_forward>("min", where),
          kernel<Reduction<double>, cpu::min_forward, cuda::min_forward>("min", where)};
}

// Over each run in turn; reduced axes keep extent 1.
Tensor extreme_axes(const Extreme& extreme, const Tensor& x, const std::vector<bool>& reduced) {
  const std::vector<AxisRun> runs = runs_of(reduced);
  if (runs.empty()) return x.clone();
  Tensor y = x;
  for (const AxisRun& run : runs) {
    Tensor to = Tensor::empty(kept_shape(y.shape(), run), y.dtype(), y.device());
    Workspace workspace(y.device());
    const ReduceGeometry g = geometry_of(y.shape(), run.begin, run.end);
    visit_floating(extreme.name, y.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, float>)
        extreme.in_float(g, y.data<T>(), to.mutable_data<T>(), workspace);
      else
        extreme.in_double(g, y.data<T>(), to.mutable_data<T>(), workspace);
    });
    y = to;
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

// The sum, divided: of bfloat16 as float32.
Var wide_sum(const char* name, const Var& x, const std::vector<int>& axes, KeepDim keep,
             double divisor) {
  require(x.defined(), name, ": x is undefined");
  require_same_kind(name, x);
  const std::vector<bool> reduced = reduced_axes(name, x.shape(), axes);
  const Tensor y = sum_axes(x.value(), reduced, divisor, wide_of(x.dtype()));
  const Shape kept = y.shape();
  return record(
      name, y.reshape(without(x.shape(), reduced, keep)), {x}, {},
      [from = x.shape(), kept, divisor, dtype = x.dtype()](const StepView& step) -> Vars {
        const Var& dy = step.cotangent();
        const Var share = convert(divisor == 1 ? dy : dy / divisor, dtype);
        return {broadcast_to(reshape(share, kept), from)};
      },
      Derivatives::all);
}

// The sum of squares, divided; not of bfloat16.
Tensor square_sum(const Var& x, const std::vector<bool>& reduced, double divisor) {
  return sum_axes(x.value(), reduced, divisor, x.dtype(), Terms::squares);
}
Var square_sum(const char* name, const Var& x, double divisor) {
  if (is_bfloat16(x)) return convert(square_sum(name, widened(x), divisor), x.dtype());
  const std::vector<bool> all(static_cast<std::size_t>(x.rank()), true);
  return record(
      name, square_sum(x, all, divisor).reshape({}), {x}, {x},
      [divisor](const StepView& step) -> Vars {
        return {step.saved(0) * (step.cotangent() * (2 / divisor))};
      },
      Derivatives::all);
}

void check(const char* op, const Var& x) {
  require(x.defined(), op, ": x is undefined");
  require_same_kind(op, x);
}

// max or min: what is equal to the result shares its gradient.
Var extreme(Extreme (*extreme_on)(Device), const char* name, const Var& x,
            const std::vector<int>& axes, KeepDim keep) {
  const ErrorOp here(name);
  require(x.defined(), name, ": x is undefined");
  if (is_bfloat16(x)) return convert(extreme(extreme_on, name, widened(x), axes, keep), x.dtype());
  require_same_kind(name, x);
  const std::vector<bool> reduced = reduced_axes(name, x.shape(), axes);
  require(count_of(x.shape(), reduced) > 0, name, ": an axis that is reduced is empty (", x.shape(),
          ")");
  const Tensor kept = extreme_axes(extreme_on(x.device()), x.value(), reduced);
  return record(
      name, kept.reshape(without(x.shape(), reduced, keep)), {x}, {x, kept},
      [axes](const StepView& step) -> Vars {
        const Var best = step.saved(1);
        const Var hit = compute_binary<binary_op::Same>("max", step.saved(0), best);
        const Var dy = reshape(step.cotangent(), best.shape());
        return {mul(hit, div(dy, sum(hit, axes, KeepDim::yes)))};
      },
      Derivatives::all);
}

}  // namespace

Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const ErrorOp here("sum");
  check("sum", x);
  return convert(wide_sum("sum", x, axes, keep, 1), x.dtype());
}

Var mean(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const ErrorOp here("mean");
  check("mean", x);
  const double count = count_of(x.shape(), reduced_axes("mean", x.shape(), axes));
  return convert(wide_sum("mean", x, axes, keep, count), x.dtype());
}

Var sum_of_squares(const Var& x) {
  const ErrorOp here("sum_of_squares");
  check("sum_of_squares", x);
  return square_sum("sum_of_squares", x, 1);
}
Var mean_of_squares(const Var& x) {
  const ErrorOp here("mean_of_squares");
  check("mean_of_squares", x);
  return square_sum("mean_of_squares", x, static_cast<double>(x.size()));
}

// The mean is taken off in two parts: what rounding it to float32 loses would stay in every x -
// mean, and be all that is left of them where the mean is large.
Var centred(const Var& x, const std::vector<int>& axes) {
  constexpr const char* kName = "centred";
  const ErrorOp here(kName);
  check(kName, x);
  if (is_bfloat16(x)) return convert(centred(widened(x), axes), x.dtype());
  const std::vector<bool> reduced = reduced_axes(kName, x.shape(), axes);
  const double count = count_of(x.shape(), reduced);
  const Tensor exact = sum_axes(x.value(), reduced, count, DType::float64);
  const Tensor near = exact.to(x.dtype());
  const Tensor rest = (Var(exact) - near.to(DType::float64)).value().to(x.dtype());
  const Var y = (x.value() - Var(near)) - rest;
  return record(
      kName, y.value(), {x}, {},
      [axes](const StepView& step) -> Vars { return {centred(step.cotangent(), axes)}; },
      Derivatives::all);
}

Var variance(const Var& x, const std::vector<int>& axes, const VarianceOptions& options) {
  const ErrorOp here("variance");
  check("variance", x);
  if (is_bfloat16(x)) return convert(variance(widened(x), axes, options), x.dtype());
  const std::vector<bool> reduced = reduced_axes("variance", x.shape(), axes);
  require(!std::isnan(options.correction), "variance: the correction is NaN");
  const double divisor = std::max(0.0, count_of(x.shape(), reduced) - options.correction);
  const Tensor y = square_sum(centred(x.value(), axes), reduced, divisor);
  return record(
      "variance", y.reshape(without(x.shape(), reduced, options.keep)), {x}, {x},
      [axes, divisor, kept = y.shape()](const StepView& step) -> Vars {
        const Var slope = reshape(step.cotangent(), kept) * (2 / divisor);
        return {centred(step.saved(0), axes) * slope};
      },
      Derivatives::all);
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
  const ErrorOp here("argmax");
  axis = checked_axis("argmax", x, axis);
  if (is_bfloat16(x)) return argmax(widened(x), axis, keep);
  const std::vector<bool> reduced = reduced_axes("argmax", x.shape(), {axis});
  Tensor index = Tensor::empty(without(x.shape(), reduced, keep), DType::int64, x.device());
  if (index.size() == 0) return index;
  visit_floating("argmax", x.dtype(), [&]<class T>() {
    kernel<ArgmaxForward<T>, cpu::argmax_forward, cuda::argmax_forward>("argmax", x.device())(
        geometry_of(x.shape(), axis, axis + 1), x.value().data<T>(),
        index.mutable_data<std::int64_t>());
  });
  return index;
}

Tensor argmin(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("argmin");
  axis = checked_axis("argmin", x, axis);
  return argmax(neg(x.value()), axis, keep);
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
