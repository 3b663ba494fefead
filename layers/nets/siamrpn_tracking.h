// One step of a SiamRPN tracker: from the net's numbers in the search image to the target's next
// place in the frame (pysot's rules).
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

struct TrackedTarget {
  double cx = 0, cy = 0, w = 0, h = 0;  // in pixels of the frame; sides above 0
};

// The side of the square about a target that the net sees as `exemplar` pixels: a margin of
// `context` times w + h is added to each side. sqrt((w + m)(h + m)), m = context * (w + h).
double context_side(double w, double h, double context = 0.5);

// An outer product of Hann windows, flat: size^2 numbers, 0 at the border.
std::vector<double> hann_window(std::int64_t size);

struct TrackingOptions {
  double penalty = 0.04;   // k: how much a change of size or ratio costs
  double window = 0.44;    // share of the window in a score
  double rate = 0.4;       // how fast the size follows
  double exemplar = 127;   // side of the template image, in pixels
  double least_side = 10;  // of the target
};

struct TrackingStep {
  std::int64_t best = 0;          // the anchor that was chosen
  double penalty = 1, score = 0;  // its penalty, and its score with penalty and window
  TrackedTarget target;
};

// scores [A], deltas [A 4] and anchors [A 4] = (cx, cy, w, h) about the search image's centre, in
// the order of siamrpn_anchors(): K anchors at each of size x size places. Of a predicted size (w,
// h) and the last one (w', h'), both in the search image, with s(w, h) = context_side and q* = the
// larger of q and 1/q:
//   penalty = exp(-((s/s')* ((w/h)/(w'/h'))* - 1) k), and the score is penalty * score * (1 -
// window) + hann_window * window, the first of the largest being chosen. The centre moves to the
// prediction, the size by penalty * score * rate of the way. The centre stays in the frame, the
// sides between least_side and the frame's.
TrackingStep tracking_step(const TrackedTarget& last, const Tensor& scores, const Tensor& deltas,
                           const Tensor& anchors, std::int64_t size, double frame_width,
                           double frame_height, const TrackingOptions& options = {});

}  // namespace pliant
