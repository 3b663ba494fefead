#include <pliant/autograd/ops/compare.h>

#include <limits>

#include <pliant/autograd/internal/binary.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>

namespace pliant {
namespace {

// maximum or minimum; Share is a's in the gradient.
template <template <class> class F, template <class> class Share>
Var extreme(const char* name, const Var& a, const Var& b) {
  return record(
      name, compute_binary<F>(name, a, b), {a, b}, {a, b},
      [name](const NodeView& node) -> Vars {
        const Var u = node.saved(0), v = node.saved(1), &dy = node.cotangent();
        const Var share = compute_binary<Share>(name, u, v);
        return {node.wants(0) ? sum_to(mul(dy, share), u.shape()) : Var(),
                node.wants(1) ? sum_to(mul(dy, 1.0 - share), v.shape()) : Var()};
      },
      Derivatives::all);
}

template <template <class> class F>
Tensor comparison(const char* name, const Var& a, const Var& b) {
  const Tensor holds = compute_binary<F>(name, a, b);
  return is_floating(holds.dtype()) ? holds : holds.to(DType::float32);
}

// `x` where the condition holds (or, with KeepUnless, does not), else a zero.
template <template <class> class Keep>
Var keep_where(const Var& condition, const Var& x) {
  return record(
      "where", compute_binary<Keep>("where", condition, x), {x}, {condition},
      [from = x.shape()](const NodeView& node) -> Vars {
        return {sum_to(keep_where<Keep>(node.saved(0), node.cotangent()), from)};
      },
      Derivatives::all);
}

}  // namespace

Tensor gt(const Var& a, const Var& b) { return comparison<binary_op::Gt>("gt", a, b); }
Tensor ge(const Var& a, const Var& b) { return comparison<binary_op::Ge>("ge", a, b); }
Tensor lt(const Var& a, const Var& b) { return comparison<binary_op::Lt>("lt", a, b); }
Tensor le(const Var& a, const Var& b) { return comparison<binary_op::Le>("le", a, b); }
Tensor eq(const Var& a, const Var& b) { return comparison<binary_op::Eq>("eq", a, b); }
Tensor ne(const Var& a, const Var& b) { return comparison<binary_op::Ne>("ne", a, b); }

Var maximum(const Var& a, const Var& b) {
  return extreme<binary_op::Maximum, binary_op::ShareOfMaximum>("maximum", a, b);
}
Var minimum(const Var& a, const Var& b) {
  return extreme<binary_op::Minimum, binary_op::ShareOfMinimum>("minimum", a, b);
}

Var where(const Tensor& condition, const Var& a, const Var& b) {
  const ErrorOp here("where");
  require(condition.defined(), "where: the condition is undefined");
  require(a.defined() && b.defined(), "where: operand ", a.defined() ? "b" : "a", " is undefined");
  if (!are_integers(a, b)) require_same_kind("where", {{"a", &a}, {"b", &b}});
  // Told in its own dtype: what is not 0 there may be 0 in a's.
  const bool floating = is_floating(a.dtype());
  const Tensor holds = floating && condition.dtype() == a.dtype() ? condition : ne(condition, 0.0);
  const Tensor chosen = floating ? holds.to(a.dtype()) : holds.to(DType::float32).to(DType::int64);
  return add(keep_where<binary_op::KeepIf>(chosen, a),
             keep_where<binary_op::KeepUnless>(chosen, b));
}

Tensor isfinite(const Var& x) {
  const ErrorOp here("isfinite");
  return lt(abs(x.value()), std::numeric_limits<double>::infinity());
}

Tensor isnan(const Var& x) {
  const ErrorOp here("isnan");
  return ne(x.value(), x.value());
}

bool any(const Var& x) {
  const ErrorOp here("any");
  return x.value().size() > 0 && max(Var(ne(x.value(), 0.0))).value().item() != 0;
}

bool all(const Var& x) {
  const ErrorOp here("all");
  return x.value().size() == 0 || min(Var(ne(x.value(), 0.0))).value().item() != 0;
}

}  // namespace pliant
