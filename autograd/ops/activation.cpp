#include <pliant/autograd/ops/activation.h>

#include <pliant/autograd/internal/unary.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>

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

}  // namespace pliant
