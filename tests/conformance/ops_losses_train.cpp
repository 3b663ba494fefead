// Losses of classes, distributions, boxes and angles; optimizers and schedules beside those of
// ops_train.cpp.
#include <pliant/autograd/ops/cosine.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/distribution_losses.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/vision_losses.h>
#include <pliant/layers/train/plateau.h>
#include <pliant/tests/conformance/training_call.h>

namespace pliant::conformance {

namespace {

Tensor weights_of(Call& call, const char* name) {
  return call.has_input(name) ? call.constant(name) : Tensor();
}

void run_softmax_cross_entropy_probabilities(Call& call) {
  const Var logits = call.variable("logits"), targets = call.variable("targets");
  call.output("loss", softmax_cross_entropy(logits, targets,
                                            {.label_smoothing = call.real("label_smoothing"),
                                             .class_weights = weights_of(call, "class_weights"),
                                             .reduction = call.reduction()}));
}

void run_binary_cross_entropy_weights(Call& call) {
  const Var logits = call.variable("logits");
  call.output("y", binary_cross_entropy_with_logits(
                       logits, call.constant("targets"),
                       {.reduction = call.reduction(),
                        .positive_weights = weights_of(call, "positive_weights"),
                        .element_weights = weights_of(call, "element_weights")}));
}

void run_nll_loss(Call& call) {
  const Var x = call.variable("x");
  call.output("y", nll_loss(x, call.indices("labels"),
                            {.ignore_index = call.integer("ignore_index"),
                             .class_weights = weights_of(call, "class_weights"),
                             .reduction = call.reduction()}));
}

void run_kl_div(Call& call) {
  const Var x = call.variable("x"), target = call.variable_or_constant("target");
  call.output("y", kl_div(x, target,
                          {.log_target = call.flag("log_target"), .reduction = call.reduction()}));
}

void run_huber_loss(Call& call) {
  const Var x = call.variable("prediction"), target = call.variable("target");
  call.output("y", huber_loss(x, target, call.real("delta"), call.reduction()));
}

void run_sigmoid_focal_loss(Call& call) {
  const Var logits = call.variable("logits"), targets = call.variable("targets");
  call.output("y", sigmoid_focal_loss(logits, targets,
                                      {.alpha = call.real("alpha"),
                                       .gamma = call.real("gamma"),
                                       .reduction = call.reduction()}));
}

void run_generalized_box_iou_loss(Call& call) {
  const Var boxes = call.variable("boxes"), targets = call.variable("targets");
  call.output("y", generalized_box_iou_loss(boxes, targets, {.reduction = call.reduction()}));
}

void run_cosine_similarity(Call& call) {
  const Var a = call.variable("a"), b = call.variable("b");
  call.output("y",
              cosine_similarity(a, b, static_cast<int>(call.integer("axis")), call.real("eps")));
}

void run_cosine_embedding_loss(Call& call) {
  const Var a = call.variable("a"), b = call.variable("b");
  call.output("y", cosine_embedding_loss(a, b, call.constant("labels"), call.real("margin"),
                                         call.reduction()));
}

void run_nadam(Call& call) {
  run_optimizer<NAdam>(call,
                       NAdamOptions{.lr = call.real("lr"),
                                    .weight_decay = call.real("weight_decay"),
                                    .momentum_decay = call.real("momentum_decay"),
                                    .decoupled_weight_decay = call.flag("decoupled_weight_decay")});
}

void run_muon(Call& call) {
  const bool original = call.text("adjust_lr_fn") == "original";
  if (!original) call.require_text("adjust_lr_fn", "match_rms_adamw");
  run_optimizer<Muon>(call,
                      MuonOptions{.lr = call.real("lr"),
                                  .momentum = call.real("momentum"),
                                  .nesterov = call.flag("nesterov"),
                                  .rate = original ? MuonRate::original : MuonRate::match_rms_adamw,
                                  .weight_decay = call.real("weight_decay")});
}

void run_polynomial_lr(Call& call) {
  run_schedule(call, polynomial_lr({.base_lr = call.real("base_lr"),
                                    .total_steps = call.integer("total_iters"),
                                    .power = call.real("power")}));
}

void run_cosine_warm_restarts_lr(Call& call) {
  run_schedule(call, cosine_warm_restarts_lr({.base_lr = call.real("base_lr"),
                                              .period = call.integer("T_0"),
                                              .period_factor = call.integer("T_mult"),
                                              .eta_min = call.real("eta_min")}));
}

void run_linear_lr(Call& call) {
  run_schedule(call, linear_warmup({.base_lr = call.real("base_lr"),
                                    .start_factor = call.real("start_factor"),
                                    .warmup_steps = call.integer("total_iters"),
                                    .end_factor = call.real("end_factor")}));
}

void run_reduce_on_plateau(Call& call) {
  ReduceOnPlateau plateau({.base_lr = call.real("base_lr"),
                           .factor = call.real("factor"),
                           .patience = call.integer("patience"),
                           .threshold = call.real("threshold"),
                           .absolute_threshold = call.text("threshold_mode") == "abs",
                           .larger_is_better = call.text("mode") == "max",
                           .cooldown = call.integer("cooldown"),
                           .min_lr = call.real("min_lr")});
  std::vector<double> rates;
  for (const double value : call.constant("measured").to_vector())
    rates.push_back(plateau.step(value));
  output_rates(call, rates);
}

}  // namespace

GoldenOps losses_train_ops() {
  return {
      {"binary_cross_entropy_weights", run_binary_cross_entropy_weights},
      {"cosine_embedding_loss", run_cosine_embedding_loss},
      {"cosine_similarity", run_cosine_similarity},
      {"cosine_warm_restarts_lr", run_cosine_warm_restarts_lr},
      {"generalized_box_iou_loss", run_generalized_box_iou_loss},
      {"huber_loss", run_huber_loss},
      {"kl_div", run_kl_div},
      {"linear_lr", run_linear_lr},
      {"muon", run_muon},
      {"nadam", run_nadam},
      {"nll_loss", run_nll_loss},
      {"polynomial_lr", run_polynomial_lr},
      {"reduce_on_plateau", run_reduce_on_plateau},
      {"sigmoid_focal_loss", run_sigmoid_focal_loss},
      {"softmax_cross_entropy_probabilities", run_softmax_cross_entropy_probabilities},
  };
}

}  // namespace pliant::conformance
