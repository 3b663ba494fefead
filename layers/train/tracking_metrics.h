// What a single-object tracker is judged by: OTB's one-pass curves, and VOT's accuracy, robustness
// and expected overlap with resets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <pliant/core/polygon.h>

namespace pliant {

// Of a convex polygon, in either direction of turning.
double polygon_area(const Polygon& polygon);
// Intersection over union, by exact clipping; 0 where the union has no area. Of polygons that are
// not convex it means nothing.
double polygon_iou(const Polygon& a, const Polygon& b);

// The upright rectangle that stands for a quadrilateral (pysot's get_axis_aligned_bbox): about the
// mean of the corners, with the shape of their bounding box, the area of the quadrilateral, were it
// a rectangle, and a pixel more along each side.
struct CentredBox {
  double cx = 0, cy = 0, w = 0, h = 0;
};
CentredBox axis_aligned_box(const std::array<Point, 4>& corners);

// x, y, width, height.
using TrackedBox = std::array<double, 4>;

double tracked_iou(const TrackedBox& a, const TrackedBox& b);

// The share of a sequence's frames whose IoU is above 0, 0.05 .. 1: 21 numbers. A frame whose true
// box has no area counts as none of them. Of no frames: NaN. The lists are of one length.
inline constexpr std::int64_t kSuccessThresholds = 21;
std::vector<double> success_curve(std::span<const TrackedBox> truth,
                                  std::span<const TrackedBox> tracked);
// Its mean: of a benchmark, the mean over its sequences.
double success_auc(std::span<const double> curve);

// The share of frames whose centres, x + (w - 1)/2 and likewise y, are at most 0, 1 .. 50 pixels
// apart: 51 numbers; precision[20] is the benchmark's figure. A frame whose true centre is not above
// 0 on both axes counts as a hit (pysot).
inline constexpr std::int64_t kPrecisionThresholds = 51;
std::vector<double> precision_curve(std::span<const TrackedBox> truth,
                                    std::span<const TrackedBox> tracked);

// One sequence with resets: where the overlap falls to 0 the tracker has failed, and is initialised
// again five frames later.
struct ResetRun {
  std::vector<double> overlaps = {};  // of every frame; NaN where it failed or did not run
  std::vector<std::int64_t> starts =
      {};  // frames of its initialisations, ascending; the first is 0
  std::int64_t failures = 0;
};

// The mean overlap of the frames that have one, without the first `burn_in` from each
// initialisation on; of all frames of all runs. NaN where there are none.
double tracking_accuracy(std::span<const ResetRun> runs, std::int64_t burn_in = 10);

// The expected overlap of a tracker after i frames (VOT 2015, as pysot computes it): curve[0] is 1,
// curve[i] the mean over all fragments longer than i of their mean overlap in frames 1 to i. A
// fragment begins at an initialisation; one that another follows runs to that, itself among it (with
// overlap 1), and then has zeros up to the length of the longest sequence. The last of a sequence
// ends with it. Frames without an overlap count as 0.
std::vector<double> expected_overlap_curve(std::span<const ResetRun> runs);
// The mean of curve[low - 1 .. high - 1], 1 <= low <= high; frames beyond the curve are an Error.
double expected_average_overlap(std::span<const double> curve, std::int64_t low, std::int64_t high);

}  // namespace pliant
