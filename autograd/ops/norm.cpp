#include <pliant/autograd/ops/norm.h>

#include <cmath>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/reduce_axes.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>

namespace pliant {
namespace {

// What has one number, `instead`, in the place of 0.
Var nonzero_or(double instead, const Var& x) {
  return where(eq(x, 0.0), scalar_like(instead, x), x);
}

// Of finite p > 0, reduced axes kept; x is float64.
Tensor norm_of(const Tensor& x, const std::vector<int>& axes, double p) {
  const Var size = abs(x);
  const Var powers = p == 1 ? size : pow(size, p);
  const Var total = sum(powers, axes, KeepDim::yes);
  return (p == 1 ? total : p == 2 ? sqrt(total) : pow(total, 1 / p)).value();
}

Var finite_norm(const Var& x, const std::vector<int>& axes, double p) {
  const Tensor y = norm_of(x.value().to(DType::float64), axes, p).to(x.dtype());
  return record(
      "norm", y, {x}, {x, y},
      [p](const NodeView& node) -> Vars {
        const Var v = node.saved(0), whole = nonzero_or(1, node.saved(1));
        const Var& dy = node.cotangent();
        if (p == 1) return {sign(v) * dy};
        if (p == 2) return {v * (dy / whole)};
        return {sign(v) * pow(abs(nonzero_or(1, v)) / whole, p - 1) * dy};
      },
      Derivatives::all);
}

Var kept_norm(const Var& x, const std::vector<int>& axes, double p) {
  if (std::isinf(p))
    return p > 0 ? max(abs(x), axes, KeepDim::yes) : min(abs(x), axes, KeepDim::yes);
  if (p == 0) return sum(ne(x, 0.0), axes, KeepDim::yes);
  return finite_norm(x, axes, p);
}

}  // namespace

Var norm(const Var& x, const std::vector<int>& axes, const NormOptions& options) {
  const ErrorOp here("norm");
  require(x.defined(), "norm: x is undefined");
  require_same_kind("norm", x);
  require(!std::isnan(options.p), "norm: p is NaN");
  if (is_bfloat16(x)) return convert(norm(widened(x), axes, options), x.dtype());
  const std::vector<bool> reduced = reduced_axes("norm", x.shape(), axes);
  return reshape(kept_norm(x, axes, options.p), without(x.shape(), reduced, options.keep));
}

Var norm(const Var& x) { return norm(x, all_axes(x)); }

}  // namespace pliant
