#include <pliant/layers/train/metrics.h>

#include <pliant/core/kernels/takes_over.h>

namespace pliant {

std::int64_t count_right(const Var& logits, const Tensor& labels, std::int64_t k) {
  require(logits.defined() && logits.shape().rank() == 2,
          "count_right: expected logits [N C], got ", logits.value());
  const std::int64_t rows = logits.dim(0), classes = logits.dim(1);
  require(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == Shape{rows},
          "count_right: expected labels int64 [", rows, "], got ", labels);
  require(k >= 1, "count_right: k is ", k, ", expected at least 1");
  const Tensor scores = logits.value().to(Device::cpu()).to(DType::float64),
               wanted = labels.to(Device::cpu());
  const double* row = scores.data<double>();
  std::int64_t right = 0;
  for (const std::int64_t label : wanted.span<std::int64_t>()) {
    require(label >= 0 && label < classes, "count_right: label ", label, " is not in [0, ", classes,
            ')');
    std::int64_t before = 0;
    for (std::int64_t c = 0; c < classes; ++c)
      if (c < label ? !takes_over(row[label], row[c]) : takes_over(row[c], row[label])) ++before;
    right += before < k ? 1 : 0;
    row += classes;
  }
  return right;
}

double accuracy(const Var& logits, const Tensor& labels, std::int64_t k) {
  const auto right = static_cast<double>(count_right(logits, labels, k));
  return right / static_cast<double>(labels.size());
}

}  // namespace pliant
