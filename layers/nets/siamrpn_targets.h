// What the anchors of a SiamRPN tracker (Li 2018) are to learn from one box, computed on the host.
#pragma once

#include <cstdint>

#include <pliant/core/tensor.h>

namespace pliant {

struct SiamRPNTargetOptions {
  double positive_iou = 0.6;  // above it: positive
  double negative_iou = 0.3;  // below it: negative; what lies between does not count
};

// By anchor, in the order of siamrpn_anchors().
struct SiamRPNTargets {
  Tensor iou;     // [A]
  Tensor labels;  // int64 [A]: 1, 0, or -1 for what does not count
  Tensor deltas;  // [A 4], as encode_boxes() has them
};

// box [4], corners, in the search image; anchors [... 4] as centre and sides (siamrpn_anchors()).
// pysot's rule, before the choice of 16 positives and at most 48 negatives.
SiamRPNTargets siamrpn_targets(const Tensor& box, const Tensor& anchors,
                               const SiamRPNTargetOptions& options = {});

// Of an earlier implementation (songdejia/Siamese-RPN-pytorch), with siamrpn_classic_anchors() and a
// box [4] as centre and sides: corners are c -+ (side - 1)/2, and .01 is added to all sides of the
// deltas. Positives are the `best`, whatever their IoU, if the largest IoU is above .5, else none;
// negatives all below .1.
struct SiamRPNClassicTargets {
  Tensor iou;        // [A]
  Tensor best;       // int64 [30] (fewer anchors: all), by descending IoU, equals in their order
  Tensor negatives;  // int64, ascending
  bool has_positives = false;
  Tensor deltas;  // [A 4]
};
SiamRPNClassicTargets siamrpn_classic_targets(const Tensor& box, const Tensor& anchors);

}  // namespace pliant
