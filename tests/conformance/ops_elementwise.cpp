// Functions element by element, comparisons, softmax, losses.
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/tests/conformance/ops.h>

namespace pliant::conformance {

namespace {

int axis_of(Call& call) { return static_cast<int>(call.integer("axis")); }

void run_leaky_relu(Call& call) {
  call.output("y", leaky_relu(call.variable("x"), call.real("negative_slope")));
}

void run_pow(Call& call) { call.output("y", pow(call.variable("x"), call.real("exponent"))); }

void run_softmax(Call& call) { call.output("y", softmax(call.variable("x"), axis_of(call))); }

void run_log_softmax(Call& call) {
  call.output("y", log_softmax(call.variable("x"), axis_of(call)));
}

void run_clamp(Call& call) {
  call.output("y", clamp(call.variable("x"), call.real("low"), call.real("high")));
}

void run_where(Call& call) {
  const Tensor condition =
      call.indices("condition").to(Device::cpu()).to(call.dtype()).to(call.device());
  call.output("y", where(condition, call.variable("a"), call.variable("b")));
}

void run_mse_loss(Call& call) {
  call.output("loss", mse_loss(call.variable("pred"), call.constant("target"), call.reduction()));
}

void run_l1_loss(Call& call) {
  call.output("y", l1_loss(call.variable("prediction"), call.variable_or_constant("target"),
                           call.reduction()));
}

void run_smooth_l1_loss(Call& call) {
  call.output("y", smooth_l1_loss(call.variable("prediction"), call.variable_or_constant("target"),
                                  call.has("beta") ? call.real("beta") : 1.0, call.reduction()));
}

void run_binary_cross_entropy_with_logits(Call& call) {
  const char* const targets = call.has_input("target") ? "target" : "targets";
  const double weight = call.has("positive_weight") ? call.real("positive_weight") : 1.0;
  call.output("y", binary_cross_entropy_with_logits(
                       call.variable("logits"), call.variable_or_constant(targets),
                       {.positive_weight = weight, .reduction = call.reduction()}));
}

}  // namespace

GoldenOps elementwise_ops() {
  return {
      {"abs", unary<abs>},
      {"add", binary<add>},
      {"binary_cross_entropy_with_logits", run_binary_cross_entropy_with_logits},
      {"clamp", run_clamp},
      {"div", binary<div>},
      {"eq", comparison<eq>},
      {"exp", unary<exp>},
      {"ge", comparison<ge>},
      {"gelu", unary<gelu>},
      {"gt", comparison<gt>},
      {"l1_loss", run_l1_loss},
      {"le", comparison<le>},
      {"leaky_relu", run_leaky_relu},
      {"log", unary<log>},
      {"log_softmax", run_log_softmax},
      {"lt", comparison<lt>},
      {"maximum", binary<maximum>},
      {"minimum", binary<minimum>},
      {"mse_loss", run_mse_loss},
      {"mul", binary<mul>},
      {"ne", comparison<ne>},
      {"neg", unary<neg>},
      {"pow", run_pow},
      {"pow_pairs", binary<pow>},
      {"relu", unary<relu>},
      {"remainder", binary<remainder>},
      {"rsqrt", unary<rsqrt>},
      {"sigmoid", unary<sigmoid>},
      {"silu", unary<silu>},
      {"smooth_l1_loss", run_smooth_l1_loss},
      {"softmax", run_softmax},
      {"softplus", unary<softplus>},
      {"sqrt", unary<sqrt>},
      {"square", unary<square>},
      {"sub", binary<sub>},
      {"tanh", unary<tanh>},
      {"where", run_where},
  };
}

}  // namespace pliant::conformance
