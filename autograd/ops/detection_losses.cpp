#include <pliant/autograd/ops/detection_losses.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/indices.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

constexpr double kBeta = 1.0 / 9;
constexpr std::int64_t kIgnored = -100;

void require_shape(const char* op, const char* what, const Var& x, const Shape& expected) {
  require(x.defined(), op, ": ", what, " are undefined");
  require(x.shape() == expected, op, ": ", what, " have shape ", x.shape(), ", expected ",
          expected);
}

void require_labels(const char* op, const Tensor& labels, const Shape& expected) {
  require(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == expected, op,
          ": expected labels int64 ", expected, ", got ", labels);
}

// Ones, then zeros: the labels of a sample.
Var ones_and_zeros(const Var& like, std::int64_t ones, std::int64_t zeros) {
  return Tensor(
             concat({Tensor::full({ones}, 1, like.dtype()), Tensor::zeros({zeros}, like.dtype())},
                    0)
                 .value())
      .to(like.device());
}

// The mean cross-entropy of the rows labelled `label`; 0 where there are none.
Var mean_of(const Var& logits, const Tensor& labels, std::int64_t label) {
  const Tensor chosen = eq(labels, static_cast<double>(label));
  const Tensor of = where(chosen, labels, scalar_like(kIgnored, labels)).value();
  const LossReduction reduction = any(chosen) ? LossReduction::mean : LossReduction::sum;
  return softmax_cross_entropy(logits, of.reshape({labels.size()}),
                               {.ignore_index = kIgnored, .reduction = reduction});
}

}  // namespace

DetectionLoss rpn_loss(const Var& logits, const Var& deltas, const Tensor& targets,
                       const BoxSample& sample) {
  const char* const op = "rpn_loss";
  const ErrorOp here(op);
  require_rank(op, "the set of logits", logits, 1, "[A]");
  require_shape(op, "the deltas", deltas, {logits.dim(0), 4});
  const std::int64_t positives = sample.positives.size(), negatives = sample.negatives.size();
  require_shape(op, "the targets", targets, {positives, 4});
  const Var chosen = concat(
      {index_select(logits, 0, sample.positives), index_select(logits, 0, sample.negatives)}, 0);
  const Var apart =
      smooth_l1_loss(index_select(deltas, 0, sample.positives), targets, kBeta, LossReduction::sum);
  return {binary_cross_entropy_with_logits(chosen, ones_and_zeros(logits, positives, negatives)),
          apart / static_cast<double>(positives + negatives)};
}

DetectionLoss fast_rcnn_loss(const Var& logits, const Var& deltas, const Tensor& labels,
                             const Tensor& targets) {
  const char* const op = "fast_rcnn_loss";
  const ErrorOp here(op);
  require_rank(op, "the set of logits", logits, 2, "[R C]");
  const std::int64_t regions = logits.dim(0), classes = logits.dim(1);
  require_shape(op, "the deltas", deltas, {regions, 4 * classes});
  require_shape(op, "the targets", targets, {regions, 4});
  require_labels(op, labels, {regions});
  Indices rows, own;  // regions with an object; its class's four deltas among all
  const Tensor host = labels.to(Device::cpu());
  for (std::int64_t r = 0; const std::int64_t label : host.span<std::int64_t>()) {
    if (label > 0) {
      rows.push_back(r);
      own.push_back(r * classes + label);
    }
    ++r;
  }
  const Var loss = softmax_cross_entropy(logits, labels);  // checks the labels' range
  const Var of_label = index_select(reshape(deltas, {regions * classes, 4}), 0,
                                    indices_tensor(own, deltas.device()));
  const Var wanted = index_select(targets, 0, indices_tensor(rows, targets.device()));
  return {loss, smooth_l1_loss(of_label, wanted, kBeta, LossReduction::sum) /
                    static_cast<double>(regions)};
}

DetectionLoss siamrpn_loss(const Var& logits, const Var& deltas, const Tensor& labels,
                           const Tensor& targets, const Tensor& weights) {
  const char* const op = "siamrpn_loss";
  const ErrorOp here(op);
  require_rank(op, "the map of logits", logits, 4, "[N H W 2*K]");
  const std::int64_t n = logits.dim(0), h = logits.dim(1), w = logits.dim(2), k = logits.dim(3) / 2;
  require_shape(op, "the logits", logits, {n, h, w, 2 * k});
  require_shape(op, "the deltas", deltas, {n, h, w, 4 * k});
  require_shape(op, "the targets", targets, {n, h, w, 4 * k});
  require_shape(op, "the weights", weights, {n, h, w, k});
  require_labels(op, labels, {n, h, w, k});
  const Var rows = reshape(transpose(reshape(logits, {n, h, w, 2, k}), -1, -2), {n * h * w * k, 2});
  const Var classes = (mean_of(rows, labels, 1) + mean_of(rows, labels, 0)) * 0.5;
  const Var apart =
      reshape(abs(deltas - targets), {n, h, w, 4, k}) * reshape(weights, {n, h, w, 1, k});
  return {classes, sum(apart) / static_cast<double>(n)};
}

}  // namespace pliant
