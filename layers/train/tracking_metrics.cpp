#include <pliant/layers/train/tracking_metrics.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <pliant/core/error.h>

namespace pliant {
namespace {

// Twice the signed area of the triangle.
double turn(const Point& a, const Point& b, const Point& c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

double signed_area(const Polygon& polygon) {
  double twice = 0;
  for (std::size_t i = 1; i + 1 < polygon.size(); ++i)
    twice += turn(polygon[0], polygon[i], polygon[i + 1]);
  return twice / 2;
}

// The part of the polygon on the left of the line from a to b (Sutherland and Hodgman 1974).
Polygon left_of(const Polygon& polygon, const Point& a, const Point& b) {
  Polygon part;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point from = polygon[i], to = polygon[(i + 1) % polygon.size()];
    const double now = turn(a, b, from), next = turn(a, b, to);
    if (now >= 0) part.push_back(from);
    if ((now > 0 && next < 0) || (now < 0 && next > 0)) {
      const double t = now / (now - next);
      part.push_back({from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)});
    }
  }
  return part;
}

void require_frames(const char* who, std::size_t truth, std::size_t tracked) {
  require(truth == tracked, who, ": ", truth, " true boxes and ", tracked,
          " tracked ones, expected as many");
}

// The share of the frames that satisfy holds(i).
template <class Holds>
double share(std::size_t frames, Holds holds) {
  double count = 0;
  for (std::size_t i = 0; i < frames; ++i) count += holds(i) ? 1 : 0;
  return count / static_cast<double>(frames);
}

double distance(const TrackedBox& truth, const TrackedBox& tracked) {
  const auto centre = [](const TrackedBox& box, std::size_t axis) {
    return box[axis] + (box[axis + 2] - 1) / 2;
  };
  const double x = centre(truth, 0), y = centre(truth, 1);
  if (!(x > 0 && y > 0)) return -1;
  return std::hypot(x - centre(tracked, 0), y - centre(tracked, 1));
}

void check(const char* who, const ResetRun& run) {
  require(!run.starts.empty() && run.starts.front() == 0 &&
              std::is_sorted(run.starts.begin(), run.starts.end()) &&
              run.starts.back() < std::ssize(run.overlaps),
          who, ": a run of ", run.overlaps.size(),
          " frames needs initialisations in ascending order within it, the first in frame 0");
}

double or_zero(double overlap) { return std::isnan(overlap) ? 0 : overlap; }

// Overlaps of the fragments of a run, see expected_overlap_curve().
void add_fragments(const ResetRun& run, std::size_t longest,
                   std::vector<std::vector<double>>& fragments) {
  for (std::size_t i = 0; i < run.starts.size(); ++i) {
    const bool last = i + 1 == run.starts.size();
    const std::size_t begin = static_cast<std::size_t>(run.starts[i]);
    const std::size_t end =
        last ? run.overlaps.size() : static_cast<std::size_t>(run.starts[i + 1]) + 1;
    std::vector<double> fragment;
    for (std::size_t at = begin; at < end; ++at) fragment.push_back(or_zero(run.overlaps[at]));
    if (!last) fragment.resize(longest, 0);
    fragments.push_back(std::move(fragment));
  }
}

}  // namespace

double polygon_area(const Polygon& polygon) { return std::abs(signed_area(polygon)); }

double polygon_iou(const Polygon& a, const Polygon& b) {
  Polygon shared = a, edge = b;
  if (signed_area(edge) < 0) std::reverse(edge.begin(), edge.end());
  const double own = polygon_area(a), other = polygon_area(b);
  if (other == 0) shared.clear();
  for (std::size_t i = 0; i < edge.size(); ++i)
    shared = left_of(shared, edge[i], edge[(i + 1) % edge.size()]);
  const double both = polygon_area(shared), all = own + other - both;
  return all > 0 ? both / all : 0;
}

CentredBox axis_aligned_box(const std::array<Point, 4>& corners) {
  Point low = corners[0], high = corners[0], sum;
  for (const Point& p : corners) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    sum = {sum.x + p.x, sum.y + p.y};
  }
  const auto length = [&](std::size_t a, std::size_t b) {
    return std::hypot(corners[a].x - corners[b].x, corners[a].y - corners[b].y);
  };
  const double w = high.x - low.x, h = high.y - low.y;
  const double scale = w * h > 0 ? std::sqrt(length(0, 1) * length(1, 2) / (w * h)) : 0;
  return {sum.x / 4, sum.y / 4, scale * w + 1, scale * h + 1};
}

double tracked_iou(const TrackedBox& a, const TrackedBox& b) {
  const auto shared = [&](std::size_t i) {
    return std::max(std::min(a[i] + a[i + 2], b[i] + b[i + 2]) - std::max(a[i], b[i]), 0.0);
  };
  const double both = shared(0) * shared(1), all = a[2] * a[3] + b[2] * b[3] - both;
  return all > 0 ? std::clamp(both / all, 0.0, 1.0) : 0;
}

std::vector<double> success_curve(std::span<const TrackedBox> truth,
                                  std::span<const TrackedBox> tracked) {
  require_frames("success_curve", truth.size(), tracked.size());
  std::vector<double> overlaps;
  for (std::size_t i = 0; i < truth.size(); ++i)
    overlaps.push_back(truth[i][2] > 0 && truth[i][3] > 0 ? tracked_iou(truth[i], tracked[i]) : -1);
  std::vector<double> curve;
  for (int t = 0; t < kSuccessThresholds; ++t)
    curve.push_back(share(overlaps.size(), [&](std::size_t i) { return overlaps[i] > 0.05 * t; }));
  return curve;
}

double success_auc(std::span<const double> curve) {
  return std::accumulate(curve.begin(), curve.end(), 0.0) / static_cast<double>(curve.size());
}

std::vector<double> precision_curve(std::span<const TrackedBox> truth,
                                    std::span<const TrackedBox> tracked) {
  require_frames("precision_curve", truth.size(), tracked.size());
  std::vector<double> distances;
  for (std::size_t i = 0; i < truth.size(); ++i)
    distances.push_back(distance(truth[i], tracked[i]));
  std::vector<double> curve;
  for (int t = 0; t < kPrecisionThresholds; ++t)
    curve.push_back(share(distances.size(), [&](std::size_t i) { return distances[i] <= t; }));
  return curve;
}

double tracking_accuracy(std::span<const ResetRun> runs, std::int64_t burn_in) {
  require(burn_in >= 0, "tracking_accuracy: burn_in is ", burn_in, ", expected at least 0");
  double sum = 0, count = 0;
  for (const ResetRun& run : runs) {
    check("tracking_accuracy", run);
    for (std::int64_t i = 0; i < std::ssize(run.overlaps); ++i) {
      const double overlap = run.overlaps[static_cast<std::size_t>(i)];
      const auto after = std::upper_bound(run.starts.begin(), run.starts.end(), i);
      if (std::isnan(overlap) || i - *(after - 1) < burn_in) continue;
      sum += overlap;
      ++count;
    }
  }
  return sum / count;
}

std::vector<double> expected_overlap_curve(std::span<const ResetRun> runs) {
  std::size_t longest = 0;
  for (const ResetRun& run : runs) {
    check("expected_overlap_curve", run);
    longest = std::max(longest, run.overlaps.size());
  }
  std::vector<std::vector<double>> fragments;
  for (const ResetRun& run : runs) add_fragments(run, longest, fragments);
  // From the sum of frames 1 to i of each fragment.
  std::vector<double> sums(fragments.size(), 0), curve(longest, 1);
  for (std::size_t i = 1; i < longest; ++i) {
    double sum = 0, count = 0;
    for (std::size_t f = 0; f < fragments.size(); ++f) {
      if (fragments[f].size() <= i) continue;
      sums[f] += fragments[f][i];
      sum += sums[f] / static_cast<double>(i);
      ++count;
    }
    curve[i] = sum / count;
  }
  return curve;
}

double expected_average_overlap(std::span<const double> curve, std::int64_t low,
                                std::int64_t high) {
  require(low >= 1 && low <= high && high <= std::ssize(curve), "expected_average_overlap: frames ",
          low, " to ", high, " of a curve of ", curve.size(),
          ", expected 1 <= low <= high <= its length");
  const auto part =
      curve.subspan(static_cast<std::size_t>(low - 1), static_cast<std::size_t>(high - low + 1));
  return std::accumulate(part.begin(), part.end(), 0.0) / static_cast<double>(part.size());
}

}  // namespace pliant
