// Losses of a prediction and a target of the same shape and dtype, element by element. Others:
// cross_entropy.h, distribution_losses.h, vision_losses.h, cosine.h. All are means over the
// elements (of none: NaN) unless told otherwise, and gradients pass to both sides as far as they
// want one: a target that is a Tensor is a constant.
#pragma once

#include <pliant/autograd/ops/loss_reduction.h>

namespace pliant {

// Of the squared differences.
Var mse_loss(const Var& prediction, const Var& target,
             LossReduction reduction = LossReduction::mean);
// Of the absolute differences; derivative 0 at 0.
Var l1_loss(const Var& prediction, const Var& target,
            LossReduction reduction = LossReduction::mean);

// Of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, d the difference (Girshick, Fast R-CNN,
// 2015). beta >= 0; 0 makes it l1_loss.
Var smooth_l1_loss(const Var& prediction, const Var& target, double beta = 1.0,
                   LossReduction reduction = LossReduction::mean);

// Of d^2 / 2 where |d| < delta, else delta (|d| - delta / 2): delta times smooth_l1_loss with beta =
// delta (Huber 1964). delta above 0.
Var huber_loss(const Var& prediction, const Var& target, double delta = 1.0,
               LossReduction reduction = LossReduction::mean);

struct BinaryCrossEntropyOptions {
  double positive_weight = 1;  // factor of the term of target 1; above 0
  LossReduction reduction = LossReduction::mean;
  // Both are broadcast to the logits' shape, in their dtype: further factors of the term of target 1
  // (of each class: [C]), above 0; and of whole elements (of each row: [N 1]), none negative. The
  // mean is over the number of elements whatever these are, as PyTorch's.
  Tensor positive_weights = {};
  Tensor element_weights = {};
};
// Of -u (w t log p + (1 - t) log(1 - p)), p = sigmoid(logits), t the targets in [0, 1], w the
// positive weight and u the element's. Accurate for logits of any finite size, also where the loss
// is next to nothing.
Var binary_cross_entropy_with_logits(const Var& logits, const Var& targets,
                                     const BinaryCrossEntropyOptions& options = {});

}  // namespace pliant
