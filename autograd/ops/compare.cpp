#include <pliant/autograd/ops/compare.h>

#include <pliant/autograd/ops/binary.h>

namespace pliant {
namespace {

// Of maximum(a, b); minimum(a, b) is that of (b, a).
Vars gradients_of_larger(const Var& larger, const Var& smaller, const Var& dy) {
  const Var share = compute_binary<binary_op::ShareOfLarger>("maximum", larger, smaller);
  return {mul(dy, share), mul(dy, 1.0 - share)};
}

// `x` where the condition holds (or, with KeepUnless, does not), else a zero.
template <template <class> class Keep>
Var keep_where(const Var& condition, const Var& x) {
  return record("where", compute_binary<Keep>("where", condition, x), {x}, {condition},
                [from = x.shape()](const StepView& step) -> Vars {
                  return {sum_to(keep_where<Keep>(step.saved(0), step.cotangent()), from)};
                });
}

}  // namespace

Tensor gt(const Var& a, const Var& b) { return compute_binary<binary_op::Gt>("gt", a, b); }
Tensor ge(const Var& a, const Var& b) { return compute_binary<binary_op::Ge>("ge", a, b); }
Tensor lt(const Var& a, const Var& b) { return compute_binary<binary_op::Lt>("lt", a, b); }
Tensor le(const Var& a, const Var& b) { return compute_binary<binary_op::Le>("le", a, b); }
Tensor eq(const Var& a, const Var& b) { return compute_binary<binary_op::Eq>("eq", a, b); }
Tensor ne(const Var& a, const Var& b) { return compute_binary<binary_op::Ne>("ne", a, b); }

Var maximum(const Var& a, const Var& b) {
  return record("maximum", compute_binary<binary_op::Maximum>("maximum", a, b), {a, b}, {a, b},
                [](const StepView& step) -> Vars {
                  const Var u = step.saved(0), v = step.saved(1);
                  const Vars d = gradients_of_larger(u, v, step.cotangent());
                  return {sum_to(d[0], u.shape()), sum_to(d[1], v.shape())};
                });
}

Var minimum(const Var& a, const Var& b) {
  return record("minimum", compute_binary<binary_op::Minimum>("minimum", a, b), {a, b}, {a, b},
                [](const StepView& step) -> Vars {
                  const Var u = step.saved(0), v = step.saved(1);
                  const Vars d = gradients_of_larger(v, u, step.cotangent());
                  return {sum_to(d[1], u.shape()), sum_to(d[0], v.shape())};
                });
}

Var where(const Tensor& condition, const Var& a, const Var& b) {
  require(condition.defined(), "where: the condition is undefined");
  require(a.defined() && b.defined(), "where: an operand is undefined");
  require_same_kind("where", {&a, &b});
  const Var chosen = condition.to(a.dtype());
  return add(keep_where<binary_op::KeepIf>(chosen, a),
             keep_where<binary_op::KeepUnless>(chosen, b));
}

}  // namespace pliant
