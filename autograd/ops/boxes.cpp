#include <pliant/autograd/ops/boxes.h>

#include <array>
#include <limits>
#include <vector>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>

namespace pliant {
namespace {

void require_boxes(const char* op, const Var& boxes) {
  require(boxes.defined(), op, ": the boxes are undefined");
  require_same_kind(op, boxes);
  require(boxes.rank() >= 1 && boxes.dim(-1) == 4, op, ": the boxes have shape ", boxes.shape(),
          ", expected [... 4]");
}

// The four numbers of each box, each [...].
std::array<Var, 4> columns_of(const Var& boxes) {
  const auto column = [&](std::int64_t i) {
    return squeeze(slice_axis(boxes, -1, i, i + 1), {-1});
  };
  return {column(0), column(1), column(2), column(3)};
}

Var not_negative(const Var& x) { return clamp(x, 0, std::numeric_limits<double>::infinity()); }

// a / b, 0 where b is 0.
Var quotient(const Var& a, const Var& b) {
  const Tensor none = eq(b, 0.0);
  return where(none, scalar_like(0, b), a / where(none, scalar_like(1, b), b));
}

// All boxes of one side of a matrix: corners, each [N 1] or [1 M], and areas.
struct Side {
  std::array<Var, 4> at;
  Var area;
};

Side side_of(const Var& boxes, int axis, BoxSides sides) {
  Side side{columns_of(boxes), unsqueeze(box_area(boxes, sides), axis)};
  for (Var& corner : side.at) corner = unsqueeze(corner, axis);
  return side;
}

struct Overlap {
  Side a, b;
  Var unions, iou;  // [N M]
};

Overlap overlap(const char* op, const Var& a, const Var& b, BoxSides sides) {
  for (const Var* boxes : {&a, &b}) require_rank(op, "a set of boxes", *boxes, 2, "[N 4]");
  require_boxes(op, a);
  require_boxes(op, b);
  require_same_kind(op, {{"a", &a}, {"b", &b}});
  Overlap o{side_of(a, 1, sides), side_of(b, 0, sides), {}, {}};
  const double one = sides == BoxSides::inclusive ? 1 : 0;
  const auto shared = [&](std::size_t i) {
    const Var length = minimum(o.a.at[i + 2], o.b.at[i + 2]) - maximum(o.a.at[i], o.b.at[i]);
    return not_negative(one == 0 ? length : length + one);
  };
  const Var both = shared(0) * shared(1);
  o.unions = o.a.area + o.b.area - both;
  o.iou = quotient(both, o.unions);
  return o;
}

// Along x (0) or y (1), the side of the smallest box around both.
Var hull(const Overlap& o, std::size_t i) {
  return not_negative(maximum(o.a.at[i + 2], o.b.at[i + 2]) - minimum(o.a.at[i], o.b.at[i]));
}

}  // namespace

Var convert_boxes(const Var& boxes, BoxForm from, BoxForm to) {
  const ErrorOp here("convert_boxes");
  require_boxes("convert_boxes", boxes);
  if (from == to) return boxes;
  auto [x, y, w, h] = columns_of(boxes);
  if (from == BoxForm::xyxy) {
    w = w - x;
    h = h - y;
  } else if (from == BoxForm::cxcywh) {
    x = x - w * 0.5;
    y = y - h * 0.5;
  }
  if (to == BoxForm::xyxy) return stack({x, y, x + w, y + h}, -1);
  if (to == BoxForm::cxcywh) return stack({x + w * 0.5, y + h * 0.5, w, h}, -1);
  return stack({x, y, w, h}, -1);
}

Var box_area(const Var& boxes, BoxSides sides) {
  const ErrorOp here("box_area");
  require_boxes("box_area", boxes);
  const auto [x1, y1, x2, y2] = columns_of(boxes);
  if (sides == BoxSides::continuous) return not_negative(x2 - x1) * not_negative(y2 - y1);
  return not_negative(x2 - x1 + 1.0) * not_negative(y2 - y1 + 1.0);
}

Var clip_boxes(const Var& boxes, Size2 image) {
  const ErrorOp here("clip_boxes");
  require_boxes("clip_boxes", boxes);
  require(image.h >= 0 && image.w >= 0, "clip_boxes: the image is ", image.h, " x ", image.w,
          ", expected no negative side");
  const auto [x1, y1, x2, y2] = columns_of(boxes);
  const auto width = static_cast<double>(image.w), height = static_cast<double>(image.h);
  return stack(
      {clamp(x1, 0, width), clamp(y1, 0, height), clamp(x2, 0, width), clamp(y2, 0, height)}, -1);
}

Tensor boxes_of_size(const Tensor& boxes, double side) {
  require_rank("boxes_of_size", "the set of boxes", boxes, 2, "[N 4]");
  require_boxes("boxes_of_size", boxes);
  const std::vector<double> corners = boxes.to_vector();
  std::vector<std::int64_t> large;
  for (std::size_t i = 0; i + 3 < corners.size(); i += 4)
    if (corners[i + 2] - corners[i] >= side && corners[i + 3] - corners[i + 1] >= side)
      large.push_back(static_cast<std::int64_t>(i / 4));
  return Tensor::from(large, {static_cast<std::int64_t>(large.size())}).to(boxes.device());
}

Var box_iou(const Var& a, const Var& b, BoxSides sides) {
  const ErrorOp here("box_iou");
  return overlap("box_iou", a, b, sides).iou;
}

Var generalized_box_iou(const Var& a, const Var& b) {
  const ErrorOp here("generalized_box_iou");
  const Overlap o = overlap("generalized_box_iou", a, b, BoxSides::continuous);
  const Var around = hull(o, 0) * hull(o, 1);
  return o.iou - quotient(around - o.unions, around);
}

Var distance_box_iou(const Var& a, const Var& b) {
  const ErrorOp here("distance_box_iou");
  const Overlap o = overlap("distance_box_iou", a, b, BoxSides::continuous);
  const auto apart = [&](std::size_t i) {
    return (o.a.at[i] + o.a.at[i + 2] - o.b.at[i] - o.b.at[i + 2]) * 0.5;
  };
  return o.iou -
         quotient(square(apart(0)) + square(apart(1)), square(hull(o, 0)) + square(hull(o, 1)));
}

}  // namespace pliant
