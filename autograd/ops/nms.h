// Non-maximum suppression: of boxes that overlap, the best. On the CPU; boxes of a GPU are copied
// there, and the indices back.
#pragma once

#include <cstdint>
#include <limits>

#include <pliant/autograd/ops/boxes.h>

namespace pliant {

struct NMSOptions {
  double iou_threshold = 0.5;  // in [0, 1]; suppressed is what lies above it
  BoxSides sides = BoxSides::continuous;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();  // boxes to keep, at least 0
};

// boxes [N 4], corners, and scores [N] -> int64 [K], the boxes that are kept, in descending order
// of their scores, equals by the lower index. A box goes if its IoU with one kept before it is
// above the threshold. One with NaN among its numbers or for a score is never kept, and suppresses
// none; two without area do not overlap.
Tensor nms(const Tensor& boxes, const Tensor& scores, const NMSOptions& options = {});

// The same where only boxes of one label suppress each other: labels int64 [N].
Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& labels,
                   const NMSOptions& options = {});

enum class SoftNMSDecay : unsigned char {
  linear,    // 1 - IoU, where that is above the threshold
  gaussian,  // exp(-IoU^2 / sigma)
};

struct SoftNMSOptions {
  SoftNMSDecay decay = SoftNMSDecay::gaussian;
  double sigma = 0.5;          // of gaussian; above 0
  double iou_threshold = 0.3;  // of linear
  double min_score = 1e-3;     // a box whose score has fallen below it goes; above 0
};

struct SoftNMSResult {
  Tensor kept;    // int64 [K], in the order in which they were taken
  Tensor scores;  // [K], as they were when they were taken
};

// Takes the box of the largest score, multiplies those of all that are left by its decay, and so on
// (Bodla 2017). N^2 steps.
SoftNMSResult soft_nms(const Tensor& boxes, const Tensor& scores,
                       const SoftNMSOptions& options = {});

}  // namespace pliant
