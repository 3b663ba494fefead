#include <pliant/autograd/ops/box_coding.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check(const char* op, const BoxCoding& coding) {
  for (const double weight : coding.weights)
    require(weight > 0 && weight < kInfinity, op, ": a weight is ", weight,
            ", expected a positive number");
  require(coding.most_scale > 0, op, ": most_scale is ", coding.most_scale, ", expected above 0");
  require(std::isfinite(coding.epsilon) && coding.epsilon >= 0, op, ": epsilon is ", coding.epsilon,
          ", expected a finite number, at least 0");
}

// [... 2]: of dx and dy, or of dw and dh.
Var weights_like(const Var& x, double along_x, double along_y) {
  return Tensor::from({along_x, along_y}, {2}).to(x.dtype()).to(x.device());
}

// Centres and sides, x before y: [... 2] each.
struct Centred {
  Var centre, side;
};

Centred centred(const Var& boxes, const BoxCoding& coding) {
  const Var low = slice_axis(boxes, -1, 0, 2), high = slice_axis(boxes, -1, 2, 4);
  Var side = high - low;
  if (coding.sides == BoxSides::inclusive) side = side + 1.0;
  return {low + side * 0.5, coding.epsilon == 0 ? side : side + coding.epsilon};
}

void require_fours(const char* op, const char* what, const Var& x) {
  require(x.defined(), op, ": ", what, " are undefined");
  require(x.rank() >= 1 && x.dim(-1) == 4, op, ": ", what, " have shape ", x.shape(),
          ", expected [... 4]");
}

}  // namespace

Var encode_boxes(const Var& boxes, const Var& anchors, const BoxCoding& coding) {
  const ErrorOp here("encode_boxes");
  check("encode_boxes", coding);
  require_fours("encode_boxes", "the boxes", boxes);
  require_fours("encode_boxes", "the anchors", anchors);
  require_same_kind("encode_boxes", {{"boxes", &boxes}, {"anchors", &anchors}});
  const auto& [wx, wy, ww, wh] = coding.weights;
  const Centred box = centred(boxes, coding), anchor = centred(anchors, coding);
  const Var step = (box.centre - anchor.centre) / anchor.side * weights_like(boxes, wx, wy);
  return concat({step, log(box.side / anchor.side) * weights_like(boxes, ww, wh)}, -1);
}

Var decode_boxes(const Var& deltas, const Var& anchors, const BoxCoding& coding) {
  const ErrorOp here("decode_boxes");
  check("decode_boxes", coding);
  require_rank("decode_boxes", "the set of anchors", anchors, 2, "[N 4]");
  require_fours("decode_boxes", "the anchors", anchors);
  require_rank("decode_boxes", "the set of deltas", deltas, 2, "[N 4*K]");
  require_same_kind("decode_boxes", {{"deltas", &deltas}, {"anchors", &anchors}});
  const std::int64_t count = anchors.dim(0), per_anchor = deltas.dim(1) / 4;
  require(deltas.dim(0) == count && deltas.dim(1) % 4 == 0, "decode_boxes: the deltas have shape ",
          deltas.shape(), ", expected [", count, " 4*K]");
  const Var each = reshape(deltas, {count, per_anchor, 4});
  const auto& [wx, wy, ww, wh] = coding.weights;
  const Centred anchor = centred(unsqueeze(anchors, 1), coding);
  const Var step = slice_axis(each, -1, 0, 2) / weights_like(deltas, wx, wy);
  const Var growth = clamp(slice_axis(each, -1, 2, 4) / weights_like(deltas, ww, wh), -kInfinity,
                           std::log(coding.most_scale));
  const Var centre = step * anchor.side + anchor.centre;
  const Var half = (exp(growth) * anchor.side - coding.epsilon) * 0.5;
  return reshape(concat({centre - half, centre + half}, -1), deltas.shape());
}

}  // namespace pliant
