#include <pliant/autograd/ops/softmax.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant {
namespace {

int checked_axis(const char* op, const Var& x, int axis) {
  require(x.defined(), op, ": x is undefined");
  require_same_kind(op, x);
  return x.shape().axis(axis, op);
}

// x minus its largest along the axis: nothing overflows. A constant: each result has a gradient of
// its own.
Var shifted(const Tensor& x, int axis) { return sub(x, max(x, {axis}, KeepDim::yes)); }

Var sum_along(const Var& x, int axis) { return sum(x, {axis}, KeepDim::yes); }

}  // namespace

Var softmax(const Var& x, int axis) {
  const ErrorOp here("softmax");
  if (is_bfloat16(x)) return in_float32("softmax", softmax, x, axis);
  axis = checked_axis("softmax", x, axis);
  if (x.size() == 0) return x;
  const Var powers = exp(shifted(x.value(), axis));
  const Var y = div(powers, sum_along(powers, axis));
  return record(
      "softmax", y.value(), {x}, {y},
      [axis](const NodeView& node) -> Vars {
        const Var p = node.saved(0), weighted = mul(p, node.cotangent());
        return {sub(weighted, mul(p, sum_along(weighted, axis)))};
      },
      Derivatives::all);
}

Var log_softmax(const Var& x, int axis) {
  const ErrorOp here("log_softmax");
  if (is_bfloat16(x)) return in_float32("log_softmax", log_softmax, x, axis);
  axis = checked_axis("log_softmax", x, axis);
  if (x.size() == 0) return x;
  const Var from = shifted(x.value(), axis);
  const Var y = sub(from, log(sum_along(exp(from), axis)));
  return record(
      "log_softmax", y.value(), {x}, {y},
      [axis](const NodeView& node) -> Vars {
        const Var& dy = node.cotangent();
        return {sub(dy, mul(exp(node.saved(0)), sum_along(dy, axis)))};
      },
      Derivatives::all);
}

Var logsumexp(const Var& x, const std::vector<int>& axes, KeepDim keep) {
  const ErrorOp here("logsumexp");
  if (is_bfloat16(x)) return in_float32("logsumexp", logsumexp, x, axes, keep);
  require(x.defined(), "logsumexp: x is undefined");
  const Tensor largest = max(x.value(), axes, KeepDim::yes).value();
  const Tensor shift = where(isfinite(largest), largest, scalar_like(0, largest)).value();
  const Var y = log(sum(exp(x - shift), axes, KeepDim::yes)) + shift;
  return keep == KeepDim::yes ? y : reshape(y, sum(largest, axes).shape());
}

}  // namespace pliant
