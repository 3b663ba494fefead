// Losses of log-probabilities.
#pragma once

#include <pliant/autograd/ops/loss_reduction.h>

namespace pliant {

struct NllOptions {
  std::int64_t ignore_index = -100;  // rows with this label do not count
  Tensor class_weights = {};         // w [C], none negative, in the dtype of x; none: all 1
  LossReduction reduction = LossReduction::mean;
};

// Mean over the rows whose label is not ignore_index of -w[label] log p[label], divided by their
// w[label] and not by their number (as PyTorch does); softmax_cross_entropy(logits, ..) is that of
// log_softmax(logits). log_probabilities [... C], labels [...] in [0, C) or ignore_index, integers
// of any dtype -> a scalar; reduction none: [...], 0 of a row that does not count. Any other label
// is an Error on the CPU and makes the loss NaN elsewhere. No row that counts: NaN. What else the
// row holds has no influence, be it -infinity.
Var nll_loss(const Var& log_probabilities, const Tensor& labels, const NllOptions& options = {});

struct KlDivOptions {
  bool log_target = false;  // the target holds log-probabilities too
  LossReduction reduction = LossReduction::mean;
};

// The Kullback-Leibler divergence of the target from the prediction, in PyTorch's order: first the
// logarithms log q of what is predicted, then the target p (log p with log_target). Each element
// is p (log p - log q), 0 log 0 being 0, in value and derivative. Both of one shape and dtype. The
// mean is over all elements: that over rows of C classes is C times as large, and the divergence
// itself is the sum ("batchmean" is the sum divided by the rows).
Var kl_div(const Var& log_predicted, const Var& target, const KlDivOptions& options = {});

}  // namespace pliant
