#include <pliant/autograd/ops/activation.h>

#include <pliant/autograd/internal/unary.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {

namespace {

Var relu_slope(const Var& y, const UnaryCall&) { return ne(y, 0.0); }
Var leaky_relu_slope(const Var& x, const UnaryCall& call) {
  return where(gt(x, 0.0), scalar_like(1, x), scalar_like(call.first, x));
}
Var sigmoid_slope(const Var& y, const UnaryCall&) { return y * (1.0 - y); }
Var tanh_slope(const Var& y, const UnaryCall&) { return (1.0 - y) * (1.0 + y); }
Var silu_slope(const Var& x, const UnaryCall& call) {
  const Var gate = sigmoid(x);
  return gate + x * sigmoid_slope(gate, call);
}
Var softplus_slope(const Var& x, const UnaryCall&) { return sigmoid(x); }
Var normal_density(const Var& x, const UnaryCall&) {
  return exp(square(x) * -0.5) * 0.39894228040143267794;
}
Var gelu_slope(const Var& x, const UnaryCall& call) {
  return apply_unary<unary::NormalCdf, normal_density>("gelu", x) + x * normal_density(x, call);
}

Var gelu_tanh_slope(const Var& x, const UnaryCall&) {
  constexpr double kScale = unary::GeluTanh<double>::kScale, kCube = unary::GeluTanh<double>::kCube;
  // Beyond 30 the gate is 0 or 1, and squares could be infinite.
  const Var c = clamp(x, -30.0, 30.0);
  const Var inner = c * (square(c) * kCube + 1.0), s = sigmoid(inner * (2 * kScale));
  return s + c * s * (1.0 - s) * (square(c) * (3 * kCube) + 1.0) * (2 * kScale);
}
Var mish_slope(const Var& x, const UnaryCall&) {
  const Var gate = tanh(softplus(x));
  return gate + x * (1.0 - square(gate)) * sigmoid(x);
}
Var hardswish_slope(const Var& x, const UnaryCall&) {
  const Var inside = mul(gt(x, -3.0), lt(x, 3.0));
  return inside * (x * (1.0 / 3) + 0.5) + Var(ge(x, 3.0));
}

}  // namespace

Var relu(const Var& x) { return apply_unary<unary::Relu, relu_slope>("relu", x); }
Var leaky_relu(const Var& x, double negative_slope) {
  return apply_unary<unary::LeakyRelu, leaky_relu_slope>("leaky_relu", x, negative_slope);
}
Var sigmoid(const Var& x) { return apply_unary<unary::Sigmoid, sigmoid_slope>("sigmoid", x); }
Var tanh(const Var& x) { return apply_unary<unary::Tanh, tanh_slope>("tanh", x); }
Var silu(const Var& x) { return apply_unary<unary::Silu, silu_slope>("silu", x); }
Var softplus(const Var& x) { return apply_unary<unary::Softplus, softplus_slope>("softplus", x); }
Var gelu(const Var& x) { return apply_unary<unary::Gelu, gelu_slope>("gelu", x); }
Var gelu_tanh(const Var& x) {
  return apply_unary<unary::GeluTanh, gelu_tanh_slope>("gelu_tanh", x);
}
Var mish(const Var& x) { return apply_unary<unary::Mish, mish_slope>("mish", x); }
Var hardswish(const Var& x) {
  return apply_unary<unary::Hardswish, hardswish_slope>("hardswish", x);
}

Var prelu(const Var& x, const Var& weight) {
  const ErrorOp here("prelu");
  require(x.defined() && x.rank() >= 1, "prelu: expected an input [... C]");
  require(
      weight.defined() && weight.rank() == 1 && (weight.dim(0) == 1 || weight.dim(0) == x.dim(-1)),
      "prelu: a weight of shape ", weight.defined() ? weight.shape() : Shape{}, " for the input ",
      x.shape(), ", expected [1] or [", x.dim(-1), "]");
  if (is_mixed(x, weight)) return prelu(x, rounded(weight));
  const Tensor is_above = gt(x, 0.0);
  const Var below = where(is_above, scalar_like(0, x), x);
  return where(is_above, x, below * weight);
}

Var glu(const Var& x) {
  const ErrorOp here("glu");
  require(x.defined() && x.rank() >= 1 && x.dim(-1) % 2 == 0,
          "glu: expected an even last axis, got ", x.defined() ? x.shape() : Shape{});
  const std::int64_t half = x.dim(-1) / 2;
  const int last = static_cast<int>(x.rank()) - 1;
  return slice_axis(x, last, 0, half) * sigmoid(slice_axis(x, last, half, 2 * half));
}

}  // namespace pliant
