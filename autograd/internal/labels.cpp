#include <pliant/autograd/internal/labels.h>

#include <algorithm>

#include <pliant/autograd/internal/checks.h>

namespace pliant {

void check_scores(const char* op, const char* name, const Var& scores) {
  require(scores.rank() >= 1, op, ": the ", name, " are a scalar, expected [... C]");
  require_same_kind(op, {{name, &scores}});
  require(scores.dim(-1) >= 1, op, ": the ", name, ' ', scores.shape(), " have no classes");
}

Tensor checked_labels(const char* op, const char* name, const Var& scores, const Tensor& given,
                      std::int64_t ignored) {
  const Tensor labels = as_int64(given);
  const std::int64_t classes = scores.dim(-1);
  const Shape expected(std::span(scores.shape().begin(), scores.shape().end() - 1));
  require(labels.shape() == expected, op, ": the labels have shape ", labels.shape(), ", expected ",
          expected, " (", name, ' ', scores.shape(), ")");
  require(labels.dtype() == DType::int64, op, ": the labels are ", labels.dtype(),
          ", expected integers");
  require(labels.device() == scores.device(), op, ": ", name, " on ", scores.device(),
          " but labels on ", labels.device());
  if (!labels.device().is_cpu()) return labels;
  const std::span<const std::int64_t> all = labels.span<std::int64_t>();
  const auto bad = std::find_if(all.begin(), all.end(), [&](std::int64_t label) {
    return (label < 0 || label >= classes) && label != ignored;
  });
  if (bad != all.end())
    fail(op, ": label ", *bad, " of row ", bad - all.begin(), " is not in [0, C = ", classes,
         ") nor the ignore_index ", ignored);
  return labels;
}

void check_class_weights(const char* op, const char* name, const Var& scores,
                         const Tensor& weights) {
  if (!weights.defined()) return;
  require(weights.shape() == Shape{scores.dim(-1)}, op, ": the class weights have shape ",
          weights.shape(), ", expected ", Shape{scores.dim(-1)}, " (", name, ' ', scores.shape(),
          ")");
  const Var as_var = weights;
  require_same_kind(op, {{name, &scores}, {"class_weights", &as_var}});
  each_at_hand(op, weights, [op](double weight) {
    require(weight >= 0, op, ": a class weight is ", weight, ", expected none negative");
  });
}

}  // namespace pliant
