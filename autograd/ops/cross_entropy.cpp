#include <pliant/autograd/ops/cross_entropy.h>

#include <pliant/autograd/batch_part.h>
#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/labels.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/cross_entropy.h>

namespace pliant {
namespace {

constexpr const char* kOp = "softmax_cross_entropy";

// What either form shares.
void check_common(const Var& logits, const Var& targets, const char* name,
                  const CrossEntropyOptions& options) {
  require(logits.defined() && targets.defined(), kOp, ": the ", logits.defined() ? name : "logits",
          " are undefined");
  check_scores(kOp, "logits", logits);
  check_class_weights(kOp, "logits", logits, options.class_weights);
  const double s = options.label_smoothing;
  require(s >= 0 && s <= 1, kOp, ": label smoothing is ", s, ", expected 0 to 1");
}

CrossEntropyGeometry geometry_of(const Var& logits, const Tensor& labels,
                                 const CrossEntropyOptions& options) {
  return {.rows = labels.size(),
          .classes = logits.dim(-1),
          .smoothing = options.label_smoothing,
          .ignore_index = options.ignore_index};
}

bool are_probabilities(const Var& logits, const Tensor& targets) {
  return logits.defined() && targets.defined() && is_floating(targets.dtype()) &&
         targets.shape() == logits.shape();
}

void check_probabilities(const Var& logits, const Var& targets,
                         const CrossEntropyOptions& options) {
  check_common(logits, targets, "targets", options);
  require_same_kind(kOp, {{"logits", &logits}, {"targets", &targets}});
  require(targets.shape() == logits.shape(), kOp, ": the targets have shape ", targets.shape(),
          ", expected that of the logits ", logits.shape());
  require(options.ignore_index < 0, kOp, ": an ignore_index of ", options.ignore_index,
          " beside probabilities, which are no labels");
}

// Per row [rows 1]: the sum of its target, 0 for a row that does not count.
Tensor target_sums(const CrossEntropyGeometry& g, const Tensor& labels, const Tensor& scale) {
  const std::vector<double> label = labels.to_vector(), of_row = scale.to_vector();
  std::vector<double> sums(label.size());
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (label[i] != static_cast<double>(g.ignore_index)) sums[i] = of_row[3 * i + 2];
  return Tensor::from(sums, {g.rows, 1}).to(scale.dtype()).to(scale.device());
}

// dlogits = by_p * p - (what does not depend on the logits), p = softmax(logits), by_p [rows 1]:
// its value, which a kernel gave, and beside it what p varies by, which is 0 with a gradient.
Var gradient_on_tape(const CrossEntropyGeometry& g, const Var& logits, const Tensor& value,
                     const Var& by_p) {
  const Var p = softmax(reshape(logits, Shape{g.rows, g.classes}));
  return value + reshape(sub(p, p.value()) * by_p, logits.shape());
}

Tensor rows_gradient(const CrossEntropyGeometry& g, const NodeView& node, const Tensor& dloss) {
  const Tensor x = node.saved(0).value(), labels = node.saved(1).value(),
               scale = node.saved(2).value(), weights = node.saved(3).value();
  Tensor dlogits = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<CrossEntropyRowsGradient<T>, cpu::cross_entropy_rows_gradient,
           cuda::cross_entropy_rows_gradient>(kOp, x.device())(
        g, {.logits = x.data<T>(),
            .labels = labels.data<std::int64_t>(),
            .weight = data_or_null<T>(weights),
            .scale = scale.data<T>(),
            .dloss = dloss.data<T>(),
            .dlogits = dlogits.mutable_data<T>()});
  });
  return dlogits;
}

// The same on the tape.
Var rows_gradient(const CrossEntropyGeometry& g, const NodeView& node) {
  const Tensor labels = node.saved(1).value();
  const Tensor one = Tensor::full(labels.shape(), 1, node.cotangent().dtype(), labels.device());
  const Var once = gradient_on_tape(g, node.saved(0), rows_gradient(g, node, one),
                                    target_sums(g, labels, node.saved(2).value()));
  Shape per_row = labels.shape();
  per_row.push_back(1);
  return once * reshape(node.cotangent(), per_row);
}

Tensor mean_gradient(const CrossEntropyGeometry& g, const NodeView& node, const Tensor& dloss) {
  const Tensor x = node.saved(0).value(), labels = node.saved(1).value(),
               count = node.saved(2).value(), scale = node.saved(3).value(),
               weights = node.saved(4).value();
  Tensor dlogits = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<CrossEntropyGradient<T>, cpu::cross_entropy_gradient, cuda::cross_entropy_gradient>(
        kOp, x.device())(g, {.logits = x.data<T>(),
                             .labels = labels.data<std::int64_t>(),
                             .weight = data_or_null<T>(weights),
                             .count = count.data<T>(),
                             .scale = scale.data<T>(),
                             .dloss = dloss.data<T>(),
                             .dlogits = dlogits.mutable_data<T>()});
  });
  return dlogits;
}

// The same on the tape.
Var mean_gradient(const CrossEntropyGeometry& g, const NodeView& node) {
  const Var logits = node.saved(0), count = node.saved(2);
  const Tensor of_one = mean_gradient(g, node, scalar_like(1, logits).value());
  const Var by_p = target_sums(g, node.saved(1).value(), node.saved(3).value()) / count;
  return node.cotangent() * gradient_on_tape(g, logits, of_one, by_p);
}

// The rows' own losses, [...].
Var row_losses(const CrossEntropyGeometry& g, const Var& logits, const Tensor& labels,
               const Tensor& weights) {
  Tensor loss = Tensor::empty(labels.shape(), logits.dtype(), logits.device());
  Tensor scale = Tensor::empty({g.rows, 3}, logits.dtype(), logits.device());
  visit_floating(kOp, logits.dtype(), [&]<class T>() {
    kernel<CrossEntropyRowsForward<T>, cpu::cross_entropy_rows_forward,
           cuda::cross_entropy_rows_forward>(kOp, logits.device())(
        g, logits.value().data<T>(), labels.data<std::int64_t>(), data_or_null<T>(weights),
        loss.mutable_data<T>(), scale.mutable_data<T>());
  });
  return record(
      kOp, std::move(loss), {logits}, {logits, labels, scale, weights},
      [g](const NodeView& node) -> Vars {
        return {node.creates_graph() ? rows_gradient(g, node)
                                     : Var(rows_gradient(g, node, node.cotangent().value()))};
      },
      Derivatives::all);
}

// What the rows of `labels` count for together.
double total_weight(const CrossEntropyGeometry& g, const Tensor& labels, const Tensor& weights) {
  const std::vector<double> of_class =
      weights.defined() ? weights.to_vector()
                        : std::vector<double>(static_cast<std::size_t>(g.classes), 1);
  double total = 0;
  for (const double label : labels.to_vector())
    if (label != static_cast<double>(g.ignore_index) && label >= 0 &&
        label < static_cast<double>(g.classes))
      total += of_class[static_cast<std::size_t>(label)];
  return total;
}

// This part's share of the mean over the whole batch, such that the shares' mean is that.
Var mean_of_part(const BatchPart& part, const CrossEntropyGeometry& g, const Var& logits,
                 const Tensor& labels, const Tensor& weights) {
  double total = total_weight(g, labels, weights);
  part.sum({&total, 1});
  return sum(row_losses(g, logits, labels, weights)) / (total * part.share());
}

// The mean, by kernels of its own: one pass on any device.
Var mean_loss(const CrossEntropyGeometry& g, const Var& logits, const Tensor& labels,
              const Tensor& weights) {
  Tensor loss = Tensor::empty({}, logits.dtype(), logits.device());
  Tensor count = Tensor::empty({}, logits.dtype(), logits.device());
  Tensor scale = Tensor::empty({g.rows, 3}, logits.dtype(), logits.device());
  Workspace workspace(logits.device());
  visit_floating(kOp, logits.dtype(), [&]<class T>() {
    kernel<CrossEntropyForward<T>, cpu::cross_entropy_forward, cuda::cross_entropy_forward>(
        kOp, logits.device())(g,
                              {.logits = logits.value().data<T>(),
                               .labels = labels.data<std::int64_t>(),
                               .weight = data_or_null<T>(weights),
                               .loss = loss.mutable_data<T>(),
                               .count = count.mutable_data<T>(),
                               .scale = scale.mutable_data<T>()},
                              workspace);
  });
  return record(
      kOp, std::move(loss), {logits}, {logits, labels, count, scale, weights},
      [g](const NodeView& node) -> Vars {
        return {node.creates_graph() ? mean_gradient(g, node)
                                     : Var(mean_gradient(g, node, node.cotangent().value()))};
      },
      Derivatives::all);
}

}  // namespace

Var softmax_cross_entropy(const Var& logits, const Tensor& given,
                          const CrossEntropyOptions& options) {
  const ErrorOp here(kOp);
  if (are_probabilities(logits, given)) return softmax_cross_entropy(logits, Var(given), options);
  if (is_bfloat16(logits)) {
    CrossEntropyOptions wide = options;
    wide.class_weights = widened(options.class_weights);
    return softmax_cross_entropy(widened(logits), given, wide);
  }
  check_common(logits, given, "labels", options);
  const Tensor labels = checked_labels(kOp, "logits", logits, given, options.ignore_index);
  const CrossEntropyGeometry g = geometry_of(logits, labels, options);
  if (options.reduction == LossReduction::mean && logits.coupled_part() != nullptr)
    return mean_of_part(*logits.coupled_part(), g, logits, labels, options.class_weights);
  if (options.reduction == LossReduction::mean)
    return mean_loss(g, logits, labels, options.class_weights);
  return reduce_loss(row_losses(g, logits, labels, options.class_weights), options.reduction);
}

Var softmax_cross_entropy(const Var& logits, const Var& targets,
                          const CrossEntropyOptions& options) {
  const ErrorOp here(kOp);
  if (targets.defined() && !is_floating(targets.dtype()))
    return softmax_cross_entropy(logits, targets.value(), options);
  check_probabilities(logits, targets, options);
  const double s = options.label_smoothing;
  Var wanted = widened(targets);
  if (s > 0) wanted = wanted * (1 - s) + s / static_cast<double>(logits.dim(-1));
  if (options.class_weights.defined()) wanted = wanted * Var(widened(options.class_weights));
  return reduce_loss(-sum(wanted * log_softmax(widened(logits)), {-1}), options.reduction);
}

}  // namespace pliant
