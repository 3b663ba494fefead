// Optimizers: from gradients to a step of the parameters, in place.
//
//   AdamW adamw(net.parameters(), {.weight_decay = 0.05});
//   adamw.set_weight_decay("*bias*", 0);
//   adamw.set_schedule(one_cycle_lr({.max_lr = 1e-3, .total_steps = steps}));
//   adamw.step(tape.gradients(loss));
//
// The gradients of several batches make one step, as those of one large batch would, and clip()
// may come between:
//
//   Gradients sum;
//   for (int i = 0; i < parts; ++i) sum += gradients_of(batch(i));  // each of loss / parts
//   adamw.step(sum);
//
// To make something as large as can be, step by the gradients of its negative.
//
// Squares of gradients are kept in the parameter's type: of a float32 one, a gradient beyond 1.8e19
// makes those of Adam, NAdam, RMSprop and Adagrad infinite, and the element stays where it is from
// then on. Gradients::clip() before the step, whose norm() is right for all finite gradients.
#pragma once

#include <pliant/layers/train/adagrad.h>
#include <pliant/layers/train/adam.h>
#include <pliant/layers/train/lion.h>
#include <pliant/layers/train/muon.h>
#include <pliant/layers/train/nadam.h>
#include <pliant/layers/train/optimizer_base.h>
#include <pliant/layers/train/rmsprop.h>
#include <pliant/layers/train/sgd.h>
