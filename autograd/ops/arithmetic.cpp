#include <pliant/autograd/ops/arithmetic.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/autograd/internal/binary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernels/copy_box.h>

namespace pliant {
Var add(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Add>("add", a, b);
  return record(
      "add", std::move(y), {a, b}, {},
      [a = a.shape(), b = b.shape()](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        return {node.wants(0) ? sum_to(dy, a) : Var(), node.wants(1) ? sum_to(dy, b) : Var()};
      },
      Derivatives::all);
}

Var sub(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Sub>("sub", a, b);
  return record(
      "sub", std::move(y), {a, b}, {},
      [a = a.shape(), b = b.shape()](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        return {node.wants(0) ? sum_to(dy, a) : Var(), node.wants(1) ? sum_to(neg(dy), b) : Var()};
      },
      Derivatives::all);
}

Var mul(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Mul>("mul", a, b);
  return record(
      "mul", std::move(y), {a, b}, {keep_if(b.wants_gradient(), a), keep_if(a.wants_gradient(), b)},
      [a = a.shape(), b = b.shape()](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        return {node.wants(0) ? sum_to(mul(dy, node.saved(1)), a) : Var(),
                node.wants(1) ? sum_to(mul(dy, node.saved(0)), b) : Var()};
      },
      Derivatives::all);
}

Var div(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Div>("div", a, b);
  return record(
      "div", std::move(y), {a, b}, {keep_if(b.wants_gradient(), a), b},
      [a = a.shape(), b = b.shape()](const NodeView& node) -> Vars {
        // d(a/b)/db = -a / b^2
        const Var da = div(node.cotangent(), node.saved(1));
        return {node.wants(0) ? sum_to(da, a) : Var(),
                node.wants(1) ? sum_to(neg(mul(da, div(node.saved(0), node.saved(1)))), b) : Var()};
      },
      Derivatives::all);
}

Var neg(const Var& x) {
  const ErrorOp here("neg");
  require(x.defined(), "neg: x is undefined");
  return mul(x, scalar_like(-1.0, x));
}

namespace {

// An integer cannot be divided by 0.
void require_no_zero(const char* op, const Var& a, const Var& b) {
  if (!a.defined() || !b.defined() || !are_integers(a, b) || !b.device().is_cpu()) return;
  const Tensor divisors = b.value().to(DType::int64);
  const std::span<const std::int64_t> all = divisors.span<std::int64_t>();
  const auto zero = std::find(all.begin(), all.end(), 0);
  require(zero == all.end(), op, ": b is 0 at place ", zero - all.begin());
}

}  // namespace

Tensor floor_divide(const Var& a, const Var& b) {
  require_no_zero("floor_divide", a, b);
  return compute_binary<binary_op::FloorDiv>("floor_divide", a, b);
}

Var remainder(const Var& a, const Var& b) {
  require_no_zero("remainder", a, b);
  Tensor y = compute_binary<binary_op::Remainder>("remainder", a, b);
  return record(
      "remainder", std::move(y), {a, b},
      {keep_if(b.wants_gradient(), a), keep_if(b.wants_gradient(), b)},
      [a = a.shape(), b = b.shape()](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        Var db;
        if (node.wants(1)) db = sum_to(neg(mul(dy, floor_divide(node.saved(0), node.saved(1)))), b);
        return {node.wants(0) ? sum_to(dy, a) : Var(), db};
      },
      Derivatives::all);
}

Var scalar_like(double value, const Var& x) {
  if (!x.defined()) return Tensor();
  if (is_floating(x.dtype())) return Tensor::scalar(value, x.dtype(), x.device());
  require(value == std::trunc(value), "scalar: ", value, " beside an ", x.dtype(),
          " tensor is no whole number; convert that with to(DType)");
  return Tensor::scalar(value, DType::int64, x.device());
}

namespace {

// x stretched to `shape`: along an axis of extent 1 it is walked without a step.
Tensor stretched(const Tensor& x, const Shape& shape) {
  Shape aligned;
  std::vector<std::int64_t> start, step, one;
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = i - (shape.rank() - x.rank());
    aligned.push_back(axis < 0 ? 1 : x.shape()[axis]);
    start.push_back(0);
    step.push_back(aligned.back() == 1 ? 0 : 1);
    one.push_back(1);
  }
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  const CopyBoxGeometry g = copy_box_geometry(shape, {aligned, start, step}, {shape, start, one});
  visit_any(x.dtype(), [&]<class T>() {
    kernel<CopyBox<T>, cpu::copy_box, cuda::copy_box>("broadcast_to", x.device())(
        g, x.data<T>(), y.mutable_data<T>());
  });
  return y;
}

// What has nothing to do still gives a Var of its own, whose gradient is not that of x.
Var as_result(const Var& x) { return x.wants_gradient() ? reshape(x, x.shape()) : x; }

}  // namespace

Var broadcast_to(const Var& x, const Shape& shape) {
  const ErrorOp here("broadcast_to");
  require(x.defined(), "broadcast_to: x is undefined");
  if (x.shape() == shape) return as_result(x);
  require(broadcast_shape("broadcast_to", x.shape(), shape) == shape, "broadcast_to: ", x.shape(),
          " does not stretch to ", shape);
  require_operations("broadcast_to", "elements of the result", {shape.size()});
  return record(
      "broadcast_to", stretched(x.value(), shape), {x}, {},
      [from = x.shape()](const NodeView& node) -> Vars { return {sum_to(node.cotangent(), from)}; },
      Derivatives::all);
}

Var sum_to(const Var& x, const Shape& shape) {
  const ErrorOp here("sum_to");
  require(x.defined(), "sum_to: x is undefined");
  if (x.shape() == shape) return as_result(x);
  require(broadcast_shape("sum_to", x.shape(), shape) == x.shape(), "sum_to: ", shape,
          " does not stretch to ", x.shape());
  std::vector<int> axes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const int theirs = axis - (x.rank() - shape.rank());
    if (theirs < 0 || (shape[theirs] == 1 && x.shape()[axis] != 1)) axes.push_back(axis);
  }
  return reshape(sum(x, axes), shape);
}

Var reshape(const Var& x, std::initializer_list<std::int64_t> extents) {
  require(x.defined(), "reshape: x is undefined");
  return reshape(x, x.value().reshape(extents).shape());
}

Var reshape(const Var& x, const Shape& shape) {
  require(x.defined(), "reshape: x is undefined");
  return record(
      "reshape", x.value().reshape(shape), {x}, {},
      [from = x.shape()](const NodeView& node) -> Vars {
        return {reshape(node.cotangent(), from)};
      },
      Derivatives::all);
}

}  // namespace pliant
