#include <pliant/autograd/ops/losses.h>

#include <cmath>

#include <pliant/autograd/internal/labels.h>
#include <pliant/autograd/internal/unary.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {
namespace {

void check_pair(const char* op, const Var& prediction, const Var& target) {
  require(prediction.defined() && target.defined(), op, ": the ",
          prediction.defined() ? "target" : "prediction", " is undefined");
  require_same_kind(op, {{"prediction", &prediction}, {"target", &target}});
  require(prediction.shape() == target.shape(), op, ": the prediction has shape ",
          prediction.shape(), " but the target ", target.shape());
}

// The derivative of unary::Huber.
Var huber_slope(const Var& x, const UnaryCall& call) {
  const Var sign = sub(gt(x, 0.0), lt(x, 0.0));
  return call.first == 0 ? sign : where(ge(abs(x.value()), call.first), sign, x / call.first);
}

// Weights that stretch to the shape of x; on the CPU, where they are at hand, their signs too.
void check_weights(const char* op, const Var& x, const char* name, const Tensor& weights,
                   bool above_0) {
  if (!weights.defined()) return;
  const Var as_var = weights;
  require_same_kind(op, {{"logits", &x}, {name, &as_var}});
  require(broadcast_shape(op, x.shape(), weights.shape()) == x.shape(), op, ": ", name,
          " of shape ", weights.shape(), " do not stretch to the logits ", x.shape());
  each_at_hand(op, weights, [=](double weight) {
    require(above_0 ? weight > 0 : weight >= 0, op, ": one of the ", name, " is ", weight,
            above_0 ? ", expected above 0" : ", expected none negative");
  });
}

Var difference(const char* op, const Var& prediction, const Var& target) {
  check_pair(op, prediction, target);
  return sub(widened(prediction), widened(target));
}

}  // namespace

Var mse_loss(const Var& prediction, const Var& target, LossReduction reduction) {
  const ErrorOp here("mse_loss");
  const Var d = difference("mse_loss", prediction, target);
  if (reduction == LossReduction::none) return square(d);
  return reduction == LossReduction::sum ? sum_of_squares(d) : mean_of_squares(d);
}

Var l1_loss(const Var& prediction, const Var& target, LossReduction reduction) {
  const ErrorOp here("l1_loss");
  return reduce_loss(abs(difference("l1_loss", prediction, target)), reduction);
}

Var smooth_l1_loss(const Var& prediction, const Var& target, double beta, LossReduction reduction) {
  const ErrorOp here("smooth_l1_loss");
  const char* const op = ErrorOp::name_of("smooth_l1_loss");
  require(beta >= 0, op, ": beta is ", beta, ", expected at least 0");
  const Var d = difference(op, prediction, target);
  return reduce_loss(apply_unary<unary::Huber, huber_slope>(op, d, beta), reduction);
}

Var huber_loss(const Var& prediction, const Var& target, double delta, LossReduction reduction) {
  const ErrorOp here("huber_loss");
  require(delta > 0 && std::isfinite(delta), "huber_loss: delta is ", delta, ", expected above 0");
  return smooth_l1_loss(prediction, target, delta, reduction) * delta;
}

// With softplus(x) = log(1 + exp(x)): -log p = softplus(-x) and -log(1 - p) = softplus(x). A sum of
// terms that are not negative: softplus(x) - t x is the same, but of an answer that is right and
// sure, what is left of the difference is rounding.
Var binary_cross_entropy_with_logits(const Var& logits, const Var& targets,
                                     const BinaryCrossEntropyOptions& options) {
  constexpr const char* kOp = "binary_cross_entropy_with_logits";
  const ErrorOp here(kOp);
  check_pair(kOp, logits, targets);
  const double w = options.positive_weight;
  require(w > 0 && std::isfinite(w), kOp, ": the positive weight is ", w, ", expected above 0");
  require(logits.dtype() == DType::float64 || std::isfinite(static_cast<float>(w)), kOp,
          ": the positive weight is ", w, ", which ", logits.dtype(), " cannot hold");
  check_weights(kOp, logits, "positive_weights", options.positive_weights, true);
  check_weights(kOp, logits, "element_weights", options.element_weights, false);
  const Var x = widened(logits), t = widened(targets);
  Var of_ones = t * w * softplus(-x);
  if (options.positive_weights.defined())
    of_ones = of_ones * Var(widened(options.positive_weights));
  Var losses = of_ones + (1.0 - t) * softplus(x);
  if (options.element_weights.defined()) losses = losses * Var(widened(options.element_weights));
  return reduce_loss(losses, options.reduction);
}

}  // namespace pliant
