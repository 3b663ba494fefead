// Classification loss; nll_loss and kl_div are in distribution_losses.h.
#pragma once

#include <pliant/autograd/ops/loss_reduction.h>

namespace pliant {

struct CrossEntropyOptions {
  double label_smoothing = 0;        // s in [0, 1]
  std::int64_t ignore_index = -100;  // rows with this label do not count
  Tensor class_weights = {};         // w [C], none negative, in the logits' dtype; none: all 1
  LossReduction reduction = LossReduction::mean;
};

// Mean over the rows whose label is not ignore_index of -(1-s) log p[label] - s mean(log p), with
// p = softmax(logits). With class weights w each log p is multiplied by its class's, and the mean
// is weighted: the rows' sum is divided by the sum of w[label] (as PyTorch does).
// logits [... C], labels [...] in [0, C) or ignore_index, integers of any dtype -> a scalar.
// Any other label is an Error on the CPU and makes the loss NaN elsewhere. No row that counts:
// NaN, as a mean of nothing. On a tape that sees a part of a batch the mean is divided by what the
// labels of the whole count for, so that the parts' losses, by their images, average to the whole's.
// Stable for logits of any finite size.
// Reduction none: the rows' own losses [...], 0 for one that does not count; sum: theirs, not
// divided by anything.
Var softmax_cross_entropy(const Var& logits, const Tensor& labels,
                          const CrossEntropyOptions& options = {});

// With a probability t of each class in the place of a label (mixup, distillation): a row's loss is
// -sum(w t' log p), t' = (1-s) t + s / C, and the mean is over the rows whatever the weights are
// (as PyTorch does). targets [... C] of the logits' shape and dtype, a Tensor too; gradients pass
// to them as far as they want one. There is no row that does not count.
Var softmax_cross_entropy(const Var& logits, const Var& targets,
                          const CrossEntropyOptions& options = {});

}  // namespace pliant
