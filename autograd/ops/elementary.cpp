#include <pliant/autograd/ops/elementary.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/binary.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/unary.h>

namespace pliant {

namespace {

Var exp_slope(const Var& y, const UnaryCall&) { return y; }
Var log_slope(const Var& x, const UnaryCall&) { return 1.0 / x; }
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
      [](const StepView& step) -> Vars {
        const Var u = step.saved(0), v = step.saved(1), &dy = step.cotangent();
        const Var zero = scalar_like(0.0, u);
        Var du, dv;
        if (step.wants(0))
          du = sum_to(mul(dy, where(eq(v, 0.0), zero, mul(v, pow(u, v - 1.0)))), u.shape());
        if (step.wants(1)) {
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

}  // namespace pliant
