#include <pliant/autograd/ops/cross_entropy.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/cross_entropy.h>

namespace pliant {
namespace {

constexpr const char* kOp = "softmax_cross_entropy";

void check_weights(const Var& logits, const Tensor& weights) {
  if (!weights.defined()) return;
  require(weights.shape() == Shape{logits.dim(-1)}, kOp, ": the class weights have shape ",
          weights.shape(), ", expected ", Shape{logits.dim(-1)}, " (logits ", logits.shape(), ")");
  const Var as_var = weights;
  require_same_kind(kOp, {{"logits", &logits}, {"class_weights", &as_var}});
  if (!weights.device().is_cpu()) return;
  visit_floating(kOp, weights.dtype(), [&]<class T>() {
    for (const T weight : weights.span<T>())
      require(weight >= 0, kOp, ": a class weight is ", weight, ", expected none negative");
  });
}

CrossEntropyGeometry checked_geometry(const Var& logits, const Tensor& labels,
                                      const CrossEntropyOptions& options) {
  require(logits.defined() && labels.defined(), kOp, ": the ",
          logits.defined() ? "labels are" : "logits are", " undefined");
  require(logits.rank() >= 1, kOp, ": the logits are a scalar, expected [... C]");
  require_same_kind(kOp, logits);
  const Shape expected(std::span(logits.shape().begin(), logits.shape().end() - 1));
  require(labels.shape() == expected, kOp, ": the labels have shape ", labels.shape(),
          ", expected ", expected, " (logits ", logits.shape(), ")");
  require(labels.dtype() == DType::int64, kOp, ": the labels are ", labels.dtype(),
          ", expected int64");
  require(labels.device() == logits.device(), kOp, ": logits on ", logits.device(),
          " but labels on ", labels.device());
  require(logits.dim(-1) >= 1, kOp, ": the logits ", logits.shape(), " have no classes");
  check_weights(logits, options.class_weights);
  const double s = options.label_smoothing;
  require(s >= 0 && s <= 1, kOp, ": label smoothing is ", s, ", expected 0 to 1");
  return {.rows = labels.size(),
          .classes = logits.dim(-1),
          .smoothing = s,
          .ignore_index = options.ignore_index};
}

void check_labels(const CrossEntropyGeometry& g, const Tensor& labels) {
  if (!labels.device().is_cpu()) return;
  const std::span<const std::int64_t> all = labels.span<std::int64_t>();
  const auto bad = std::find_if(all.begin(), all.end(), [&](std::int64_t label) {
    return (label < 0 || label >= g.classes) && label != g.ignore_index;
  });
  if (bad != all.end())
    fail(kOp, ": label ", *bad, " of row ", bad - all.begin(), " is not in [0, C = ", g.classes,
         ") nor the ignore_index ", g.ignore_index);
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

Var softmax_cross_entropy(const Var& logits, const Tensor& labels,
                          const CrossEntropyOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(logits)) {
    CrossEntropyOptions wide = options;
    wide.class_weights = widened(options.class_weights);
    return softmax_cross_entropy(widened(logits), labels, wide);
  }
  const CrossEntropyGeometry g = checked_geometry(logits, labels, options);
  check_labels(g, labels);
  if (options.reduction == LossReduction::mean)
    return mean_loss(g, logits, labels, options.class_weights);
  return reduce_loss(row_losses(g, logits, labels, options.class_weights), options.reduction);
}

}  // namespace pliant
