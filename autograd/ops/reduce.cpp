#include <pliant/autograd/ops/reduce.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/reduce_axes.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/reduce.h>

namespace pliant {
namespace {

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

Tensor sum_of_integers(Tensor x, const std::vector<bool>& reduced) {
  if (runs_of(reduced).empty()) return x.clone();
  for (const AxisRun& run : runs_of(reduced)) {
    Tensor y = Tensor::empty(kept_shape(x.shape(), run), DType::int64, x.device());
    Workspace workspace(x.device());
    if (y.size() > 0)
      kernel<Reduction<std::int64_t>, cpu::sum_forward, cuda::sum_forward>("sum", x.device())(
          geometry_of(x.shape(), run.begin, run.end), x.data<std::int64_t>(),
          y.mutable_data<std::int64_t>(), workspace);
    x = y;
  }
  return x;
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
      [from = x.shape(), kept, divisor, dtype = x.dtype()](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
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
      [divisor](const NodeView& node) -> Vars {
        return {node.saved(0) * (node.cotangent() * (2 / divisor))};
      },
      Derivatives::all);
}

void check(const char* op, const Var& x) {
  require(x.defined(), op, ": x is undefined");
  require_same_kind(op, x);
}

}  // namespace

Var sum(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const ErrorOp here("sum");
  require(x.defined(), "sum: x is undefined");
  if (!is_floating(x.dtype())) {
    const std::vector<bool> reduced = reduced_axes("sum", x.shape(), axes);
    const Shape shape = without(x.shape(), reduced, keep);
    return sum_of_integers(x.value().to(DType::int64), reduced).reshape(shape);
  }
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
      [axes](const NodeView& node) -> Vars { return {centred(node.cotangent(), axes)}; },
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
      [axes, divisor, kept = y.shape()](const NodeView& node) -> Vars {
        const Var slope = reshape(node.cotangent(), kept) * (2 / divisor);
        return {centred(node.saved(0), axes) * slope};
      },
      Derivatives::all);
}

Var sum(const Var& x) { return sum(x, all_axes(x)); }
Var mean(const Var& x) { return mean(x, all_axes(x)); }
Var variance(const Var& x) { return variance(x, all_axes(x)); }
Var stddev(const Var& x, const std::vector<int>& axes, const VarianceOptions& options) {
  const ErrorOp here("stddev");
  require(x.defined(), "stddev: x is undefined");
  // In float64 up to the root: the variance may be larger or smaller than float32 reaches.
  if (is_floating(x.dtype()) && x.dtype() != DType::float64)
    return convert(stddev(convert(x, DType::float64), axes, options), x.dtype());
  const Var squares = variance(x, axes, options);
  const Tensor is_flat = eq(squares, 0.0);  // where the root has no derivative: 0, as PyTorch's
  return where(is_flat, squares, sqrt(where(is_flat, scalar_like(1, squares), squares)));
}

// Halves of the axis times one another, until one element is left.
Var prod(const Var& x, int axis, KeepDim keep) {
  const ErrorOp here("prod");
  require(x.defined(), "prod: x is undefined");
  if (is_bfloat16(x)) return convert(prod(widened(x), axis, keep), x.dtype());
  if (!is_floating(x.dtype()) && x.dtype() != DType::int64)
    return prod(x.value().to(DType::int64), axis, keep);
  const Shape shape = x.shape();
  const int at = shape.axis(axis, "prod");
  Shape kept = shape;
  kept[at] = 1;
  Var product = shape[at] > 0 ? x : Var(Tensor::full(kept, 1, x.dtype(), x.device()));
  for (std::int64_t count = product.dim(at); count > 1; count = product.dim(at)) {
    const std::int64_t half = count / 2;
    const Var pairs = slice_axis(product, at, 0, half) * slice_axis(product, at, half, 2 * half);
    product =
        count % 2 == 0 ? pairs : concat({pairs, slice_axis(product, at, 2 * half, count)}, at);
  }
  std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), false);
  reduced[static_cast<std::size_t>(at)] = true;
  return reshape(product, without(shape, reduced, keep));
}

}  // namespace pliant
