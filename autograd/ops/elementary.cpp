#include <pliant/autograd/ops/elementary.h>

#include <pliant/autograd/ops/unary.h>

namespace pliant {

Var exp(const Var& x) { return apply_unary<unary::Exp>("exp", x); }
Var log(const Var& x) { return apply_unary<unary::Log>("log", x); }
Var sqrt(const Var& x) { return apply_unary<unary::Sqrt>("sqrt", x); }
Var rsqrt(const Var& x) { return apply_unary<unary::Rsqrt>("rsqrt", x); }
Var square(const Var& x) { return apply_unary<unary::Square>("square", x); }

Var pow(const Var& x, double exponent) {
  if (exponent == 2) return apply_unary<unary::Square>("pow", x);
  return apply_unary<unary::Pow>("pow", x, exponent);
}

Var abs(const Var& x) { return apply_unary<unary::Abs>("abs", x); }

Var clamp(const Var& x, double low, double high) {
  require(low <= high, "clamp: the bounds are ", low, " and ", high, ", expected low <= high");
  return apply_unary<unary::Clamp>("clamp", x, low, high);
}

}  // namespace pliant
