#include <pliant/autograd/ops/distribution_losses.h>

#include <cmath>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/labels.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/label_weights.h>

namespace pliant {
namespace {

void check(const char* op, const Var& x, const Var& other, const char* x_name,
           const char* other_name) {
  require(x.defined() && other.defined(), op, ": the ", x.defined() ? other_name : x_name,
          " are undefined");
}

// Of each row [... 1], as gather takes it, and [...].
struct Labels {
  Tensor index, share;
};

Labels labels_of(const char* op, const Var& x, const Tensor& labels, const NllOptions& options) {
  Shape column = labels.shape();
  column.push_back(1);
  Labels result{Tensor::empty(column, DType::int64, x.device()),
                Tensor::empty(labels.shape(), x.dtype(), x.device())};
  const LabelGeometry g{labels.size(), x.dim(-1), options.ignore_index};
  const Tensor weights = widened(options.class_weights);
  visit_floating(op, x.dtype(), [&]<class T>() {
    kernel<LabelWeights<T>, cpu::label_weights, cuda::label_weights>(op, x.device())(
        g, labels.data<std::int64_t>(), data_or_null<T>(weights),
        result.index.mutable_data<std::int64_t>(), result.share.mutable_data<T>());
  });
  return result;
}

// p log p, 0 at 0: its derivative is 0 there too.
Var self_information(const Var& p) {
  const Var one = scalar_like(1, p);
  return p * log(where(ne(p, 0.0), p, one));
}

// p (log p - log q) of log p, 0 where that is -infinity: there its gradient is 0 too.
Var by_logarithm(const Var& log_p, const Var& log_q) {
  const Tensor there = gt(log_p, -HUGE_VAL);
  const Var finite = where(there, log_p, scalar_like(0, log_p));
  return exp(finite) * Var(there) * (finite - log_q);
}

}  // namespace

Var nll_loss(const Var& log_probabilities, const Tensor& given, const NllOptions& options) {
  constexpr const char *kOp = "nll_loss", *kName = "log-probabilities";
  const ErrorOp here(kOp);
  check(kOp, log_probabilities, given, kName, "labels");
  check_scores(kOp, kName, log_probabilities);
  const Tensor labels = checked_labels(kOp, kName, log_probabilities, given, options.ignore_index);
  check_class_weights(kOp, kName, log_probabilities, options.class_weights);
  const Var x = widened(log_probabilities);
  const auto [index, share] = labels_of(kOp, x, labels, options);
  const Var picked = reshape(gather(x, -1, index), labels.shape());
  const Var losses = where(share, -(picked * Var(share)), scalar_like(0, x));
  if (options.reduction != LossReduction::mean) return reduce_loss(losses, options.reduction);
  return sum(losses) / sum(Var(share));
}

Var kl_div(const Var& log_predicted, const Var& target, const KlDivOptions& options) {
  constexpr const char* kOp = "kl_div";
  const ErrorOp here(kOp);
  check(kOp, log_predicted, target, "log-probabilities", "targets");
  require_same_kind(kOp, {{"log_predicted", &log_predicted}, {"target", &target}});
  require(log_predicted.shape() == target.shape(), kOp, ": the log-probabilities have shape ",
          log_predicted.shape(), " but the target ", target.shape());
  const Var q = widened(log_predicted), p = widened(target);
  if (options.log_target) return reduce_loss(by_logarithm(p, q), options.reduction);
  return reduce_loss(self_information(p) - p * q, options.reduction);
}

}  // namespace pliant
