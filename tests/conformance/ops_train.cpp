// Optimizers, over steps whose gradients the file gives, and learning rates by step.
#include <pliant/tests/conformance/training_call.h>

namespace pliant::conformance {

namespace {

template <class Optimizer, class Options>
void run_adam_like(Call& call) {
  const std::vector<double> betas = call.reals("betas");
  require(betas.size() == 2, "attribute betas is \"", call.text("betas"), "\", expected two");
  run_optimizer<Optimizer>(call, Options{.lr = call.real("lr"),
                                         .beta1 = betas[0],
                                         .beta2 = betas[1],
                                         .eps = call.real("eps"),
                                         .weight_decay = call.real("weight_decay"),
                                         .amsgrad = call.has("amsgrad") && call.flag("amsgrad")});
}

void run_sgd(Call& call) {
  run_optimizer<Sgd>(call, SgdOptions{.lr = call.real("lr"),
                                      .momentum = call.real("momentum"),
                                      .dampening = call.real("dampening"),
                                      .weight_decay = call.real("weight_decay"),
                                      .nesterov = call.flag("nesterov")});
}

void run_adam(Call& call) { run_adam_like<Adam, AdamOptions>(call); }
void run_adamw(Call& call) { run_adam_like<AdamW, AdamWOptions>(call); }

void run_rmsprop(Call& call) {
  run_optimizer<RmsProp>(call, RmsPropOptions{.lr = call.real("lr"),
                                              .alpha = call.real("alpha"),
                                              .eps = call.real("eps"),
                                              .weight_decay = call.real("weight_decay"),
                                              .momentum = call.real("momentum"),
                                              .centered = call.flag("centered")});
}

void run_adagrad(Call& call) {
  run_optimizer<Adagrad>(
      call, AdagradOptions{.lr = call.real("lr"),
                           .lr_decay = call.real("lr_decay"),
                           .weight_decay = call.real("weight_decay"),
                           .initial_accumulator = call.real("initial_accumulator_value"),
                           .eps = call.real("eps")});
}

void run_step_lr(Call& call) {
  run_schedule(call, step_lr({.base_lr = call.real("base_lr"),
                              .step_size = call.integer("step_size"),
                              .gamma = call.real("gamma")}));
}

void run_multi_step_lr(Call& call) {
  run_schedule(call, multi_step_lr({.base_lr = call.real("base_lr"),
                                    .milestones = call.integers("milestones"),
                                    .gamma = call.real("gamma")}));
}

void run_exponential_lr(Call& call) {
  run_schedule(call,
               exponential_lr({.base_lr = call.real("base_lr"), .gamma = call.real("gamma")}));
}

void run_linear_warmup(Call& call) {
  run_schedule(call, linear_warmup({.base_lr = call.real("base_lr"),
                                    .start_factor = call.real("start_factor"),
                                    .warmup_steps = call.integer("warmup_steps")}));
}

void run_cosine_annealing_lr(Call& call) {
  run_schedule(call, cosine_annealing_lr({.base_lr = call.real("base_lr"),
                                          .t_max = call.integer("t_max"),
                                          .eta_min = call.real("eta_min"),
                                          .rises_again = true}));
}

void run_one_cycle_lr(Call& call) {
  const bool linear = call.text("anneal_strategy") == "linear";
  if (!linear) call.require_text("anneal_strategy", "cos");
  run_schedule(call, one_cycle_lr({.max_lr = call.real("max_lr"),
                                   .total_steps = call.integer("total_steps"),
                                   .pct_start = call.real("pct_start"),
                                   .div_factor = call.real("div_factor"),
                                   .final_div_factor = call.real("final_div_factor"),
                                   .anneal = linear ? Anneal::linear : Anneal::cosine,
                                   .three_phase = call.flag("three_phase")}));
}

}  // namespace

GoldenOps train_ops() {
  return {
      {"adagrad", run_adagrad},
      {"adam", run_adam},
      {"adamw", run_adamw},
      {"cosine_annealing_lr", run_cosine_annealing_lr},
      {"exponential_lr", run_exponential_lr},
      {"linear_warmup", run_linear_warmup},
      {"multi_step_lr", run_multi_step_lr},
      {"one_cycle_lr", run_one_cycle_lr},
      {"rmsprop", run_rmsprop},
      {"sgd", run_sgd},
      {"step_lr", run_step_lr},
  };
}

}  // namespace pliant::conformance
