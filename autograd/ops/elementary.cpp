#include <pliant/autograd/ops/elementary.h>

#include <pliant/autograd/internal/binary.h>
#include <pliant/autograd/internal/unary.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>

namespace pliant {

namespace {

Var exp_slope(const Var& y, const UnaryCall&) { return y; }
Var log_slope(const Var& x, const UnaryCall&) { return 1.0 / x; }
Var log1p_slope(const Var& x, const UnaryCall&) { return 1.0 / (x + 1.0); }
Var expm1_slope(const Var& y, const UnaryCall&) { return y + 1.0; }
Var sin_slope(const Var& x, const UnaryCall&) { return cos(x); }
Var cos_slope(const Var& x, const UnaryCall&) { return neg(sin(x)); }
Var erf_slope(const Var& x, const UnaryCall&) {
  return exp(neg(square(x))) * 1.12837916709551257390;
}
Var no_slope(const Var& x, const UnaryCall&) {
  return Tensor::zeros(x.shape(), x.dtype(), x.device());
}
Var sqrt_slope(const Var& y, const UnaryCall&) { return 0.5 / y; }
Var rsqrt_slope(const Var& y, const UnaryCall&) { return y * y * y * -0.5; }
Var square_slope(const Var& x, const UnaryCall&) { return x + x; }
Var pow_slope(const Var& x, const UnaryCall& call) {
  if (call.first == 0) return Tensor::zeros(x.shape(), x.dtype(), x.device());
  return pow(x, call.first - 1) * call.first;
}
Var abs_slope(const Var& x, const UnaryCall&) { return sub(gt(x, 0.0), lt(x, 0.0)); }
Var clamp_slope(const Var& x, const UnaryCall& call) {
  return mul(gt(x, call.first), lt(x, call.second));
}

}  // namespace

Var exp(const Var& x) { return apply_unary<unary::Exp, exp_slope>("exp", x); }
Var log(const Var& x) { return apply_unary<unary::Log, log_slope>("log", x); }
Var log1p(const Var& x) { return apply_unary<unary::Log1p, log1p_slope>("log1p", x); }
Var expm1(const Var& x) { return apply_unary<unary::Expm1, expm1_slope>("expm1", x); }
Var sin(const Var& x) { return apply_unary<unary::Sin, sin_slope>("sin", x); }
Var cos(const Var& x) { return apply_unary<unary::Cos, cos_slope>("cos", x); }
Var erf(const Var& x) { return apply_unary<unary::Erf, erf_slope>("erf", x); }
Var floor(const Var& x) { return apply_unary<unary::Floor, no_slope>("floor", x); }
Var ceil(const Var& x) { return apply_unary<unary::Ceil, no_slope>("ceil", x); }
Var round(const Var& x) { return apply_unary<unary::Round, no_slope>("round", x); }
Var sign(const Var& x) { return apply_unary<unary::Sign, no_slope>("sign", x); }
Var sqrt(const Var& x) { return apply_unary<unary::Sqrt, sqrt_slope>("sqrt", x); }
Var rsqrt(const Var& x) { return apply_unary<unary::Rsqrt, rsqrt_slope>("rsqrt", x); }
Var square(const Var& x) { return apply_unary<unary::Square, square_slope>("square", x); }

Var pow(const Var& x, double exponent) {
  const ErrorOp here("pow");
  if (exponent == 2) return apply_unary<unary::Square, square_slope>("pow", x);
  return apply_unary<unary::Pow, pow_slope>("pow", x, exponent);
}

Var pow(const Var& a, const Var& b) {
  const ErrorOp here("pow");
  return record(
      "pow", compute_binary<binary_op::Pow>("pow", a, b), {a, b}, {a, b},
      [](const NodeView& node) -> Vars {
        const Var u = node.saved(0), v = node.saved(1), &dy = node.cotangent();
        const Var zero = scalar_like(0.0, u);
        Var du, dv;
        if (node.wants(0))
          du = sum_to(mul(dy, where(eq(v, 0.0), zero, mul(v, pow(u, v - 1.0)))), u.shape());
        if (node.wants(1)) {
          const Tensor flat = mul(eq(u, 0.0), ge(v, 0.0)).value();
          dv = sum_to(mul(dy, where(flat, zero, mul(pow(u, v), log(u)))), v.shape());
        }
        return {du, dv};
      },
      Derivatives::all);
}

Var abs(const Var& x) { return apply_unary<unary::Abs, abs_slope>("abs", x); }

Var clamp(const Var& x, double low, double high) {
  const ErrorOp here("clamp");
  require(low <= high, "clamp: the bounds are ", low, " and ", high, ", expected low <= high");
  return apply_unary<unary::Clamp, clamp_slope>("clamp", x, low, high);
}

Var clamp(const Var& x, const Var& low, const Var& high) {
  const ErrorOp here("clamp");
  require(x.defined(), "clamp: x is undefined");
  require(low.defined() || high.defined(), "clamp: both bounds are undefined");
  const Var raised = low.defined() ? maximum(x, low) : x;
  return high.defined() ? minimum(raised, high) : raised;
}

}  // namespace pliant
