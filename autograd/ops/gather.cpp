#include <pliant/autograd/ops/gather.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/gather.h>

namespace pliant {
namespace {

// An op by name, how it gathers, and the shapes of both sides.
struct Plan {
  const char* name;
  GatherGeometry geometry;
  Shape x, y;
};

// The indices as int64, each in [0, limit).
Tensor checked_indices(const char* name, const Tensor& given, std::int64_t limit) {
  const Tensor index = as_int64(given);
  require(index.defined(), name, ": the indices are undefined");
  require(index.dtype() == DType::int64, name, ": the indices are ", index.dtype(),
          ", expected integers");
  if (!index.device().is_cpu()) return index;
  const std::span<const std::int64_t> all = index.span<std::int64_t>();
  const auto bad =
      std::find_if(all.begin(), all.end(), [=](std::int64_t i) { return i < 0 || i >= limit; });
  if (bad != all.end())
    fail(name, ": index ", *bad, " at place ", bad - all.begin(), " is not in [0, ", limit, ")");
  return index;
}

void require_beside(const char* name, const Var& x, const Tensor& index) {
  require(index.device() == x.device(), name, ": a tensor on ", x.device(), " but indices on ",
          index.device());
}

// Of `count` elements along an axis of x.
GatherGeometry along(const Shape& x, int axis, std::int64_t count) {
  GatherGeometry g{.reduced = x[axis], .count = count};
  for (int i = 0; i < axis; ++i) g.outer *= x[i];
  for (int i = axis + 1; i < x.rank(); ++i) g.inner *= x[i];
  return g;
}

Tensor run_scatter(const Plan& plan, const Tensor& y, const Tensor& index) {
  Tensor x = Tensor::empty(plan.x, y.dtype(), y.device());
  if (x.size() == 0) return x;
  visit_floating(plan.name, y.dtype(), [&]<class T>() {
    kernel<Scatter<T>, cpu::scatter, cuda::scatter>(plan.name, y.device())(
        plan.geometry, y.data<T>(), index.data<std::int64_t>(), x.mutable_data<T>());
  });
  return x;
}

Var scattered(const Plan& plan, const Var& y, const Tensor& index);

// Its gradient is scattered(), whose gradient this is.
Var gathered(const Plan& plan, const Var& x, const Tensor& index) {
  if (is_bfloat16(x)) return in_float32(plan.name, gathered, plan, x, index);
  Tensor y = Tensor::empty(plan.y, x.dtype(), x.device());
  if (y.size() > 0)
    visit_any(x.dtype(), [&]<class T>() {
      if constexpr (!std::is_same_v<T, BFloat16>)
        kernel<Gather<T>, cpu::gather, cuda::gather>(plan.name, x.device())(
            plan.geometry, x.value().data<T>(), index.data<std::int64_t>(), y.mutable_data<T>());
    });
  return record(
      plan.name, std::move(y), {x}, {index},
      [plan](const NodeView& node) -> Vars {
        return {scattered(plan, node.cotangent(), node.saved(0).value())};
      },
      Derivatives::all);
}

Var scattered(const Plan& plan, const Var& y, const Tensor& index) {
  if (is_bfloat16(y)) return in_float32(plan.name, scattered, plan, y, index);
  return record(
      plan.name, run_scatter(plan, y.value(), index), {y}, {index},
      [plan](const NodeView& node) -> Vars {
        return {gathered(plan, node.cotangent(), node.saved(0).value())};
      },
      Derivatives::all);
}

}  // namespace

Var gather(const Var& x, int axis, const Tensor& indices) {
  constexpr const char* kOp = "gather";
  const ErrorOp here(kOp);
  require(x.defined(), kOp, ": x is undefined");
  axis = x.shape().axis(axis, kOp);
  const Tensor index = checked_indices(kOp, indices, x.shape()[axis]);
  require_beside(kOp, x, index);
  Shape expected = x.shape();
  if (index.rank() == x.rank()) expected[axis] = index.shape()[axis];
  require(index.shape() == expected, kOp, ": indices ", index.shape(), " for ", x.shape(),
          ", expected the same extents but along axis ", axis);
  const GatherGeometry g = along(x.shape(), axis, index.shape()[axis]);
  return gathered({kOp, g, x.shape(), index.shape()}, x, index);
}

Var scatter_add(const Var& y, int axis, const Tensor& indices, std::int64_t extent) {
  constexpr const char* kOp = "scatter_add";
  const ErrorOp here(kOp);
  require(y.defined(), kOp, ": y is undefined");
  require_same_kind(kOp, y);
  axis = y.shape().axis(axis, kOp);
  require(extent >= 0, kOp, ": the extent is ", extent, ", expected none negative");
  const Tensor index = checked_indices(kOp, indices, extent);
  require_beside(kOp, y, index);
  require(index.shape() == y.shape(), kOp, ": indices ", index.shape(), " for ", y.shape(),
          ", expected the same shape");
  Shape x = y.shape();
  x[axis] = extent;
  require_operations(kOp, "elements of the result", {x.size()});
  return scattered({kOp, along(x, axis, y.shape()[axis]), x, y.shape()}, y, index);
}

namespace {

// The last place k of y that names each element of x, or -1.
Tensor last_named(const Shape& x, int axis, const Tensor& index) {
  Tensor last = Tensor::empty(x, DType::int64, index.device());
  if (last.size() > 0)
    kernel<LastNamed, cpu::last_named, cuda::last_named>("scatter", index.device())(
        along(x, axis, index.shape()[axis]), index.data<std::int64_t>(),
        last.mutable_data<std::int64_t>());
  return last;
}

// indices [K] for all of y's slices along the axis.
Tensor for_slices(const char* name, int axis, const Tensor& indices, const Var& y) {
  require(indices.defined(), name, ": the indices are undefined");
  require(y.defined(), name, ": y is undefined");
  Shape stretched;
  for (int i = 0; i < y.rank(); ++i) stretched.push_back(i == axis ? indices.size() : 1);
  require(indices.rank() == 1 && axis < y.rank() && y.shape()[axis] == indices.size(), name,
          ": indices ", indices.shape(), " for y ", y.shape(), " along axis ", axis,
          ", expected one for each slice");
  return broadcast_to(indices.reshape(stretched), y.shape()).value();
}

}  // namespace

Var scatter(const Var& x, int axis, const Tensor& indices, const Var& y) {
  constexpr const char* kOp = "scatter";
  const ErrorOp here(kOp);
  require(x.defined() && y.defined(), kOp, ": ", x.defined() ? "y" : "x", " is undefined");
  axis = x.shape().axis(axis, kOp);
  const Tensor index = checked_indices(kOp, indices, x.shape()[axis]);
  require_beside(kOp, x, index);
  require_same_dtype(kOp, {{"x", &x}, {"y", &y}});
  Shape expected = x.shape();
  if (y.rank() == x.rank()) expected[axis] = y.shape()[axis];
  require(y.shape() == expected && index.shape() == expected, kOp, ": y ", y.shape(),
          " and indices ", index.shape(), " for x ", x.shape(),
          ", expected the same extents but along axis ", axis);
  if (y.size() == 0) return reshape(x, x.shape());
  const Tensor last = last_named(x.shape(), axis, index), named = ge(last, 0.0);
  const Var put = gather(y, axis, maximum(last, scalar_like(0.0, last)).value());
  return convert(where(named, put, x), x.dtype());
}

Var index_copy(const Var& x, int axis, const Tensor& indices, const Var& y) {
  const ErrorOp here("index_copy");
  require(x.defined(), "index_copy: x is undefined");
  axis = x.shape().axis(axis, "index_copy");
  return scatter(x, axis, for_slices("index_copy", axis, indices, y), y);
}

Var index_add(const Var& x, int axis, const Tensor& indices, const Var& y) {
  const ErrorOp here("index_add");
  require(x.defined(), "index_add: x is undefined");
  axis = x.shape().axis(axis, "index_add");
  const Tensor index = for_slices("index_add", axis, indices, y);
  return add(x, scatter_add(y, axis, index, x.shape()[axis]));
}

Var embedding(const Var& weight, const Tensor& given) {
  const char* const op = ErrorOp::name_of("embedding");  // it serves others: index_select
  const ErrorOp here(op);
  require_rank(op, "the weight", weight, 2, "[V D]");
  const Tensor indices = checked_indices(op, given, weight.dim(0));
  require_beside(op, weight, indices);
  Shape y = indices.shape();
  y.push_back(weight.dim(1));
  const GatherGeometry g{
      .reduced = weight.dim(0), .inner = weight.dim(1), .count = indices.size(), .shared = true};
  return gathered({op, g, weight.shape(), y}, weight, indices);
}

Tensor one_hot(const Tensor& given, std::int64_t classes, DType dtype) {
  constexpr const char* kOp = "one_hot";
  const ErrorOp here(kOp);
  require(classes >= 1, kOp, ": ", classes, " classes, expected at least 1");
  if (dtype == DType::bfloat16) return one_hot(given, classes).to(dtype);
  const Tensor labels = checked_indices(kOp, given, classes);
  require_operations(kOp, "labels, classes", {labels.size(), classes});
  Shape x = labels.shape();
  x.push_back(classes);
  const GatherGeometry g{.outer = labels.size(), .reduced = classes};
  return run_scatter({kOp, g, x, labels.shape()},
                     Tensor::full(labels.shape(), 1.0, dtype, labels.device()), labels);
}

}  // namespace pliant
