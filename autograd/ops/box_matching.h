// Which box an anchor or a proposal is to learn, and on which of them it is trained. Computed on
// the host; tensors of a GPU are copied there, and the result back.
#pragma once

#include <cstdint>
#include <limits>

#include <pliant/autograd/ops/boxes.h>
#include <pliant/core/random.h>

namespace pliant {

inline constexpr std::int64_t kUnmatched = -1;  // background
inline constexpr std::int64_t kUndecided = -2;  // not trained on

struct BoxMatching {
  double high = 0.7;  // an IoU of at least this is a match
  double low = 0.3;   // one below this is background; low <= high
  // Besides, every candidate that overlaps some box as much as no other does keeps the box that it
  // overlaps most itself (which need not be that one).
  bool low_quality = true;
};

// Overlaps [G A] of G boxes with A candidates -> int64 [A]: the index of the box that a candidate
// overlaps most (the first of equals), kUnmatched or kUndecided. torchvision's rule, but that a box
// which overlaps nothing matches nothing. Where there are no boxes, all is background. NaN counts
// as no overlap.
Tensor match_boxes(const Tensor& iou, const BoxMatching& options = {});

// Labels of the first Faster R-CNN: of anchors [A 4] for boxes [G 4] in an image, both with corners
// that name pixels, int64 [A]: 1 where an IoU is at least `high` or is the best of some box, 0
// where all are below `low`, else -1; -1 too for anchors that are not wholly inside.
Tensor classic_anchor_labels(const Tensor& anchors, const Tensor& boxes, Size2 image,
                             const BoxMatching& options = {});

struct BoxSampling {
  std::int64_t size = 256;
  double positive_fraction = 0.5;
  // How many negatives there may be; otherwise they fill up what positives leave free.
  std::int64_t most_negatives = std::numeric_limits<std::int64_t>::max();
};

struct BoxSample {
  Tensor positives, negatives;  // int64, ascending
};

// Of candidates that match_boxes() gave these matches, at most size * positive_fraction (rounded
// down) positives (0 and above) and then negatives (kUnmatched), each a uniform choice by `rng`.
BoxSample sample_boxes(const Tensor& matches, const BoxSampling& options, const Rng& rng);

}  // namespace pliant
