#include <pliant/autograd/ops/arithmetic.h>

#include <pliant/autograd/ops/binary.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant {
Var add(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Add>("add", a, b);
  return record(
      "add", std::move(y), {a, b}, {},
      [a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        const Var& dy = step.cotangent();
        return {step.wants(0) ? sum_to(dy, a) : Var(), step.wants(1) ? sum_to(dy, b) : Var()};
      },
      Derivatives::all);
}

Var sub(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Sub>("sub", a, b);
  return record(
      "sub", std::move(y), {a, b}, {},
      [a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        const Var& dy = step.cotangent();
        return {step.wants(0) ? sum_to(dy, a) : Var(), step.wants(1) ? sum_to(neg(dy), b) : Var()};
      },
      Derivatives::all);
}

Var mul(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Mul>("mul", a, b);
  return record(
      "mul", std::move(y), {a, b}, {keep_if(b.wants_gradient(), a), keep_if(a.wants_gradient(), b)},
      [a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        const Var& dy = step.cotangent();
        return {step.wants(0) ? sum_to(mul(dy, step.saved(1)), a) : Var(),
                step.wants(1) ? sum_to(mul(dy, step.saved(0)), b) : Var()};
      },
      Derivatives::all);
}

Var div(const Var& a, const Var& b) {
  Tensor y = compute_binary<binary_op::Div>("div", a, b);
  return record(
      "div", std::move(y), {a, b}, {keep_if(b.wants_gradient(), a), b},
      [a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        // d(a/b)/db = -a / b^2
        const Var da = div(step.cotangent(), step.saved(1));
        return {step.wants(0) ? sum_to(da, a) : Var(),
                step.wants(1) ? sum_to(neg(mul(da, div(step.saved(0), step.saved(1)))), b) : Var()};
      },
      Derivatives::all);
}

Var neg(const Var& x) {
  const ErrorOp here("neg");
  require(x.defined(), "neg: x is undefined");
  return mul(x, scalar_like(-1.0, x));
}

Var scalar_like(double value, const Var& x) {
  return x.defined() ? Tensor::scalar(value, x.dtype(), x.device()) : Tensor();
}

namespace {

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
  Tensor y =
      compute_binary<binary_op::Mul>("broadcast_to", x.value(), scalar_like(1.0, x).value(), shape);
  return record(
      "broadcast_to", std::move(y), {x}, {},
      [from = x.shape()](const StepView& step) -> Vars { return {sum_to(step.cotangent(), from)}; },
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
      [from = x.shape()](const StepView& step) -> Vars {
        return {reshape(step.cotangent(), from)};
      },
      Derivatives::all);
}

}  // namespace pliant
