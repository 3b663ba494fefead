#include <pliant/autograd/ops/cosine.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/labels.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {
namespace {

void check_vectors(const char* op, const Var& a, const Var& b) {
  require(a.defined() && b.defined(), op, ": ", a.defined() ? "b" : "a", " is undefined");
  require_same_kind(op, {{"a", &a}, {"b", &b}});
}

// Bounded before the root, whose derivative at 0 is infinite.
Var length(const Var& x, int axis, double eps) {
  const Var squares = sum(square(x), {axis});
  return sqrt(maximum(squares, scalar_like(eps * eps, squares)));
}

void check_pair_labels(const char* op, const Var& a, const Tensor& labels) {
  require(labels.defined(), op, ": the labels are undefined");
  const Shape rows(std::span(a.shape().begin(), a.shape().end() - 1));
  const Var as_var = labels;
  require_same_kind(op, {{"a", &a}, {"labels", &as_var}});
  require(labels.shape() == rows, op, ": the labels have shape ", labels.shape(), ", expected ",
          rows);
  each_at_hand(op, labels, [op](double label) {
    require(label == 1 || label == -1, op, ": a label is ", label, ", expected 1 or -1");
  });
}

}  // namespace

Var cosine_similarity(const Var& a, const Var& b, int axis, double eps) {
  constexpr const char* kOp = "cosine_similarity";
  const ErrorOp here(kOp);
  if (is_bfloat16(a)) return in_float32(kOp, cosine_similarity, a, b, axis, eps);
  check_vectors(kOp, a, b);
  require(eps > 0, kOp, ": eps is ", eps, ", expected above 0");
  const Shape shape = broadcast_shape(kOp, a.shape(), b.shape());
  axis = shape.axis(axis, kOp);
  const Var x = broadcast_to(a, shape), y = broadcast_to(b, shape);
  return sum(x * y, {axis}) / (length(x, axis, eps) * length(y, axis, eps));
}

Var cosine_embedding_loss(const Var& a, const Var& b, const Tensor& labels, double margin,
                          LossReduction reduction) {
  constexpr const char* kOp = "cosine_embedding_loss";
  const ErrorOp here(kOp);
  check_vectors(kOp, a, b);
  require(a.shape() == b.shape() && (a.rank() == 1 || a.rank() == 2), kOp, ": a has shape ",
          a.shape(), " and b ", b.shape(), ", expected [N D] or [D] of both");
  check_pair_labels(kOp, a, labels);
  require(margin >= -1 && margin <= 1, kOp, ": margin is ", margin, ", expected -1 to 1");
  const Var cosine = cosine_similarity(widened(a), widened(b));
  const Tensor belongs = gt(widened(labels), 0.0);
  return reduce_loss(where(belongs, 1.0 - cosine, relu(cosine - margin)), reduction);
}

}  // namespace pliant
