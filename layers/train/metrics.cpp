#include <pliant/layers/train/metrics.h>

#include <cmath>

#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/metrics.h>

namespace pliant {
namespace {

// The labels as int64.
Tensor checked(const char* who, const Var& logits, const Tensor& given, std::int64_t k) {
  const Tensor labels = as_int64(given);
  require(logits.defined() && logits.shape().rank() == 2, who, ": expected logits [N C], got ",
          logits.value());
  const std::int64_t rows = logits.dim(0), classes = logits.dim(1);
  require(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == Shape{rows}, who,
          ": expected integer labels [", rows, "], got ", labels);
  require(labels.device() == logits.device(), who, ": logits on ", logits.device(), ", labels on ",
          labels.device());
  require(k >= 1, who, ": k is ", k, ", expected at least 1");
  if (!labels.device().is_cpu()) return labels;
  for (const std::int64_t label : labels.span<std::int64_t>())
    require(label >= 0 && label < classes, who, ": label ", label, " is not in [0, ", classes, ')');
  return labels;
}

}  // namespace

Tensor in_top_k(const Var& logits, const Tensor& given, std::int64_t k) {
  const char* const who = ErrorOp::name_of("in_top_k");
  const Tensor labels = checked(who, logits, given, k);
  const Tensor scores = widened(logits.value());
  Tensor right = Tensor::empty(labels.shape(), DType::float64, labels.device());
  visit_floating(who, scores.dtype(), [&]<class T>() {
    kernel<InTopK<T>, cpu::in_top_k, cuda::in_top_k>(who, scores.device())(
        scores.dim(0), scores.dim(1), k, scores.data<T>(), labels.data<std::int64_t>(),
        right.mutable_data<double>());
  });
  return right;
}

std::int64_t count_right(const Var& logits, const Tensor& labels, std::int64_t k) {
  const ErrorOp here("count_right");
  const double right = sum(in_top_k(logits, labels, k)).value().item();
  require(!std::isnan(right), "count_right: a label is not in [0, ", logits.dim(1), ')');
  return static_cast<std::int64_t>(right);
}

double accuracy(const Var& logits, const Tensor& labels, std::int64_t k) {
  const auto right = static_cast<double>(count_right(logits, labels, k));
  return right / static_cast<double>(labels.size());
}

}  // namespace pliant
