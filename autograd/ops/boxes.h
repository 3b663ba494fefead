// Boxes: forms, areas, overlaps. A box is a row of four numbers; unless another form is named these
// are its corners (x1, y1, x2, y2) in pixels, x to the right and y down. All of it composes public
// ops, so every dtype, device and derivative is served. A side of a box that ends before it begins
// counts as 0; NaN stays NaN.
#pragma once

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/autograd/tape.h>

namespace pliant {

enum class BoxForm : unsigned char {
  xyxy,    // corners x1, y1, x2, y2
  xywh,    // corner x1, y1 and width, height
  cxcywh,  // centre, width, height
};

// What a side measures.
enum class BoxSides : unsigned char {
  continuous,  // x2 - x1: torchvision, COCO
  inclusive,   // x2 - x1 + 1: the corners name pixels (VOC and the first detectors)
};

// boxes [... 4] in another form; sides are continuous.
Var convert_boxes(const Var& boxes, BoxForm from, BoxForm to);

// boxes [... 4] -> [...].
Var box_area(const Var& boxes, BoxSides sides = BoxSides::continuous);

// boxes [... 4] with their corners brought into an image: x into [0, width], y into [0, height].
Var clip_boxes(const Var& boxes, Size2 image);

// Which of boxes [N 4] have both sides of at least `side`: int64 [K], ascending. Reads on the host.
Tensor boxes_of_size(const Tensor& boxes, double side);

// Overlaps of all boxes a [N 4] with all boxes b [M 4] -> [N M]. A quotient by 0 counts as 0.
//
// Intersection over union.
Var box_iou(const Var& a, const Var& b, BoxSides sides = BoxSides::continuous);
// IoU - (hull - union) / hull, hull being the smallest box around both (Rezatofighi 2019).
Var generalized_box_iou(const Var& a, const Var& b);
// IoU - d^2 / c^2, d the distance of the centres, c the diagonal of the hull (Zheng 2020).
Var distance_box_iou(const Var& a, const Var& b);

}  // namespace pliant
