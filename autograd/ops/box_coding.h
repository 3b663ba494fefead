// Boxes as steps from anchors (Girshick, R-CNN, 2014), the numbers that a detector predicts.
#pragma once

#include <array>

#include <pliant/autograd/ops/boxes.h>

namespace pliant {

struct BoxCoding {
  std::array<double, 4> weights = {1, 1, 1, 1};  // factors of dx, dy, dw, dh; above 0
  // An anchor is enlarged by this factor at most, by torchvision's rule; infinite: by any.
  double most_scale = 1000.0 / 16;
  BoxSides sides = BoxSides::continuous;
  double epsilon = 0;  // added to all widths and heights
};

// With centre (cx, cy), width w and height h of a box and cxa .. of its anchor: dx = (cx - cxa)/wa,
// dy = (cy - cya)/ha, dw = log(w/wa), dh = log(h/ha), times the weights. boxes and anchors
// [... 4], corners -> [... 4]. What a side of 0 gives is infinite or NaN.
Var encode_boxes(const Var& boxes, const Var& anchors, const BoxCoding& coding = {});

// Back: deltas [N 4*K], K boxes for each of the anchors [N 4] -> corners [N 4*K]. The inclusive
// rule gives c - w/2 and c + w/2 (not c + w/2 - 1), as the first detectors do.
Var decode_boxes(const Var& deltas, const Var& anchors, const BoxCoding& coding = {});

}  // namespace pliant
