// What the operators on regions of interest share: which part of a map each bin of a region reads.
//
// A region is a row of `rois` [r 5]: image index, x1, y1, x2, y2 in pixels of the network's input;
// `scale` brings them to the map. Its p x q bins are products of a row interval and a column
// interval, and so is what they read: all rules here are rules for one axis. Coordinates are
// computed in double whatever the type of the map, and sorted out before anything is cast to an
// integer.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/portable.h>

namespace pliant {

struct RoIGeometry {
  std::int64_t n = 0, h = 0, w = 0, c = 0;  // map [n h w c], c = k * groups_h * groups_w
  std::int64_t r = 0, p = 1, q = 1, k = 0;  // result [r p q k]
  std::int64_t groups_h = 1, groups_w = 1;  // 1: every bin reads all channels
  double scale = 1;

  PLIANT_HD std::int64_t groups() const { return groups_h * groups_w; }
  // Output channel o of bin (i, j) reads input channel o * groups() + group(i, j).
  PLIANT_HD std::int64_t group(std::int64_t i, std::int64_t j) const {
    return i * groups_h / p * groups_w + j * groups_w / q;
  }
};

// The samples of one bin along one axis. Sample i lies at first + i * step; those from begin to
// end - 1 may lie in the map, all others do not. The bin has `count` samples.
struct BinSamples {
  double first = 0, step = 0;
  std::int64_t begin = 0, end = 0;
  double count = 0;

  PLIANT_HD double at(std::int64_t i) const { return first + static_cast<double>(i) * step; }
};

// Limits begin and end to samples that may lie within [-1, size]: a region may be vastly larger
// than the map, and then has as many samples.
PLIANT_HD inline BinSamples bin_samples(double first, double step, double count,
                                        std::int64_t size) {
  BinSamples s{first, step, 0, 0, count};
  if (!(std::fabs(first) < HUGE_VAL && std::fabs(step) < HUGE_VAL && count >= 1)) return s;
  double low = 0, high = count;
  if (step > 0) {
    low = std::floor((-1 - first) / step) - 1;
    high = std::ceil((static_cast<double>(size) - first) / step) + 2;
    low = low > 0 ? low : 0;
    high = high < count ? high : count;
  }
  if (!(low < high)) return s;
  constexpr double kMost = 1e18;  // low and high fit an integer
  s.begin = static_cast<std::int64_t>(low < kMost ? low : kMost);
  s.end = static_cast<std::int64_t>(high < kMost ? high : kMost);
  return s;
}

// The tap of a sample at `at` that reads the map only where low <= at <= high, and there by
// clamped bilinear interpolation; a sample that reads nothing has low = high = -1.
template <class T>
PLIANT_HD AxisTap<T> region_tap(double at, double low, double high, std::int64_t size) {
  if (!(at >= low && at <= high)) return {-1, -1, T(0), T(0), T(0)};
  return axis_tap(static_cast<T>(at), static_cast<std::int32_t>(size), Border::clamp);
}

// Half away from zero.
PLIANT_HD inline double region_round(double at) { return std::round(at); }

// Whole pixels begin .. end - 1 of one axis.
struct PixelRange {
  std::int64_t begin = 0, end = 0;
};

// Bin `bin` of `bins` of the `side` pixels from `start` on: from start + floor(bin*side/bins) to
// start + ceil((bin+1)*side/bins), cut to a map of `size`. Exact for sides up to 2^52 / bins.
PLIANT_HD inline PixelRange bin_pixels(double start, double side, std::int64_t bin,
                                       std::int64_t bins, std::int64_t size) {
  const double count = static_cast<double>(bins), most = static_cast<double>(size);
  const double low = start + std::floor(static_cast<double>(bin) * side / count);
  const double high = start + std::ceil(static_cast<double>(bin + 1) * side / count);
  if (!(low < most && high > 0)) return {};
  return {static_cast<std::int64_t>(low > 0 ? low : 0),
          static_cast<std::int64_t>(high < most ? high : most)};
}

}  // namespace pliant
