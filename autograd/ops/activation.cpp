#include <pliant/autograd/ops/activation.h>

#include <pliant/autograd/ops/unary.h>

namespace pliant {

Var relu(const Var& x) { return apply_unary<unary::Relu>("relu", x); }
Var leaky_relu(const Var& x, double negative_slope) {
  return apply_unary<unary::LeakyRelu>("leaky_relu", x, negative_slope);
}
Var sigmoid(const Var& x) { return apply_unary<unary::Sigmoid>("sigmoid", x); }
Var tanh(const Var& x) { return apply_unary<unary::Tanh>("tanh", x); }
Var silu(const Var& x) { return apply_unary<unary::Silu>("silu", x); }
Var softplus(const Var& x) { return apply_unary<unary::Softplus>("softplus", x); }
Var gelu(const Var& x) { return apply_unary<unary::Gelu>("gelu", x); }

}  // namespace pliant
