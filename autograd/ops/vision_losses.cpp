#include <pliant/autograd/ops/vision_losses.h>

#include <cmath>
#include <numeric>
#include <utility>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

void check_pair(const char* op, const char* name, const Var& x, const Var& targets) {
  require(x.defined() && targets.defined(), op, ": the ", x.defined() ? "targets" : name,
          " are undefined");
  require_same_kind(op, {{name, &x}, {"targets", &targets}});
  require(x.shape() == targets.shape(), op, ": the ", name, " have shape ", x.shape(),
          " but the targets ", targets.shape());
}

// Sides of boxes [... 4], each [...].
struct Box {
  explicit Box(const Var& boxes)
      : x1(side(boxes, 0)), y1(side(boxes, 1)), x2(side(boxes, 2)), y2(side(boxes, 3)) {}
  Box(Var left, Var top, Var right, Var bottom)
      : x1(std::move(left)), y1(std::move(top)), x2(std::move(right)), y2(std::move(bottom)) {}

  static Var side(const Var& boxes, std::int64_t i) {
    const Shape each(std::span(boxes.shape().begin(), boxes.shape().end() - 1));
    return reshape(slice_axis(boxes, -1, i, i + 1), each);
  }
  Var area() const { return (x2 - x1) * (y2 - y1); }

  Var x1, y1, x2, y2;
};

Var common_area(const Box& a, const Box& b) {
  const Var width = minimum(a.x2, b.x2) - maximum(a.x1, b.x1),
            height = minimum(a.y2, b.y2) - maximum(a.y1, b.y1);
  return relu(width) * relu(height);
}

Box frame(const Box& a, const Box& b) {
  return {minimum(a.x1, b.x1), minimum(a.y1, b.y1), maximum(a.x2, b.x2), maximum(a.y2, b.y2)};
}

}  // namespace

// 1 - q is the other sign's sigmoid, so that one next to 0 keeps its digits.
Var sigmoid_focal_loss(const Var& logits, const Var& targets, const FocalLossOptions& options) {
  constexpr const char* kOp = "sigmoid_focal_loss";
  const ErrorOp here(kOp);
  check_pair(kOp, "logits", logits, targets);
  const double alpha = options.alpha, gamma = options.gamma;
  require((alpha >= 0 && alpha <= 1) || alpha == -1, kOp, ": alpha is ", alpha,
          ", expected 0 to 1, or -1 for none");
  require(gamma == 0 || (gamma >= 1 && std::isfinite(gamma)), kOp, ": gamma is ", gamma,
          ", expected 0 or at least 1");
  const Var x = widened(logits), t = widened(targets), off = 1.0 - t;
  const Var miss = t * sigmoid(-x) + off * sigmoid(x);
  Var losses = (t * softplus(-x) + off * softplus(x)) * pow(miss, gamma);
  if (alpha >= 0) losses = losses * (t * alpha + off * (1 - alpha));
  return reduce_loss(losses, options.reduction);
}

Var dice_loss(const Var& probabilities, const Var& targets, const DiceLossOptions& options) {
  constexpr const char* kOp = "dice_loss";
  const ErrorOp here(kOp);
  check_pair(kOp, "probabilities", probabilities, targets);
  require(probabilities.rank() >= 2, kOp, ": the probabilities have shape ", probabilities.shape(),
          ", expected [N ... C]");
  require(options.smooth >= 0 && std::isfinite(options.smooth), kOp, ": smooth is ", options.smooth,
          ", expected at least 0");
  std::vector<int> pixels(static_cast<std::size_t>(probabilities.rank() - 2));
  std::iota(pixels.begin(), pixels.end(), 1);
  const Var p = widened(probabilities), t = widened(targets);
  const Var common = sum(p * t, pixels), both = sum(p, pixels) + sum(t, pixels);
  return reduce_loss(1.0 - (common * 2 + options.smooth) / (both + options.smooth),
                     options.reduction);
}

Var generalized_box_iou_loss(const Var& boxes, const Var& targets, const GIoULossOptions& options) {
  constexpr const char* kOp = "generalized_box_iou_loss";
  const ErrorOp here(kOp);
  check_pair(kOp, "boxes", boxes, targets);
  require(boxes.rank() >= 1 && boxes.dim(-1) == 4, kOp, ": the boxes have shape ", boxes.shape(),
          ", expected [... 4]");
  require(options.eps >= 0, kOp, ": eps is ", options.eps, ", expected at least 0");
  const Box a(widened(boxes)), b(widened(targets));
  const Var common = common_area(a, b), of_frame = frame(a, b).area();
  const Var together = a.area() + b.area() - common;
  const Var iou = common / (together + options.eps);
  const Var beyond = (of_frame - together) / (of_frame + options.eps);
  return reduce_loss(1.0 - (iou - beyond), options.reduction);
}

}  // namespace pliant
