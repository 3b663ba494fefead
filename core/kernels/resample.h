// Maps that are resampled by rows and columns apart: average pooling, nearest, bilinear and bicubic
// interpolation, with and without antialiasing. Geometry, formula and signatures.
//
//   y[n,p,q,c] = (sum over i, j of a[p,i] b[q,j] x[n,i,j,c]) / (d[p] e[q])
//
// where a and b, one for each axis, are weights of which only a run of neighbours is not 0, and d
// and e the numbers of pixels that an average is over or the sums of an antialiasing filter's
// weights, else 1: averages are sums that are divided once. The gradient is the same transposed, with weights a / d and b / e, and so is its gradient.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

enum class ResampleRule : unsigned char {
  average,            // mean of a window's pixels inside the map
  average_of_padded,  // the same over the padded map: padding counts as zeros
  average_adaptive,   // mean of pixels floor(p*n/m) to ceil((p+1)*n/m), n pixels becoming m
  nearest,            // pixel floor(p * step / per)
  nearest_centres,    // pixel floor((p + 0.5) * step / per)
  linear_corners,     // between the pixels round p * step / per
  linear_centres,     // between those round (p + 0.5) * step / per - 0.5, clamped to the map
  cubic_corners,      // the same between four pixels; those beyond the map are its last ones
  cubic_centres,
  linear_filter,  // filters round (p + 0.5) * step / per, as wide as output pixels are apart
  cubic_filter,
};

// How one axis is resampled.
struct ResampleAxis {
  ResampleRule rule = ResampleRule::nearest;
  std::int64_t size = 1, out = 1;                              // pixels of x and of y, at least 1
  std::int64_t kernel = 1, stride = 1, before = 0, after = 0;  // windows, and padding around x
  double step = 1, per = 1;  // interpolation: `step` pixels of x for `per` pixels of y
};

struct ResampleGeometry {
  std::int64_t n, c;  // x [n rows.size columns.size c], y [n rows.out columns.out c]
  ResampleAxis rows, columns;
};

struct ResampleRun {
  std::int64_t begin, end;
};

// Where an interpolating axis reads for output p. The product is exact and the quotient rounded
// once, so a place that is a whole number is one exactly.
PLIANT_HD inline double resample_place(const ResampleAxis& axis, std::int64_t p) {
  const double at = static_cast<double>(p);
  switch (axis.rule) {
    case ResampleRule::linear_centres:
    case ResampleRule::cubic_centres:
      return (at + 0.5) * axis.step / axis.per - 0.5;
    case ResampleRule::nearest_centres:
    case ResampleRule::linear_filter:
    case ResampleRule::cubic_filter:
      return (at + 0.5) * axis.step / axis.per;
    default:
      return at * axis.step / axis.per;
  }
}

// Keys' cubic convolution (1981), of slope a at distance 1: 0 from distance 2 on.
PLIANT_HD inline double cubic_weight(double distance, double a) {
  const double x = std::fabs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

PLIANT_HD inline bool is_filter(ResampleRule rule) {
  return rule == ResampleRule::linear_filter || rule == ResampleRule::cubic_filter;
}
PLIANT_HD inline bool is_cubic(ResampleRule rule) {
  return rule == ResampleRule::cubic_corners || rule == ResampleRule::cubic_centres;
}

// An antialiasing filter is stretched by the distance of output pixels, where that is above 1.
PLIANT_HD inline double filter_stretch(const ResampleAxis& axis) {
  const double scale = axis.step / axis.per;
  return scale > 1 ? scale : 1;
}
// Half its width.
PLIANT_HD inline double filter_reach(const ResampleAxis& axis) {
  return (axis.rule == ResampleRule::cubic_filter ? 2 : 1) * filter_stretch(axis);
}

// Of pixel i, as PIL and PyTorch (antialias) have it: the cubic one is Keys', a = -0.5.
PLIANT_HD inline double filter_weight(const ResampleAxis& axis, std::int64_t p, std::int64_t i) {
  const double distance =
      (static_cast<double>(i) - resample_place(axis, p) + 0.5) / filter_stretch(axis);
  if (axis.rule == ResampleRule::cubic_filter) return cubic_weight(distance, -0.5);
  const double x = std::fabs(distance);
  return x < 1 ? 1 - x : 0;
}

// Of pixel i among the four round the place of output p, a = -0.75 as PyTorch and OpenCV have it.
PLIANT_HD inline double cubic_tap(const ResampleAxis& axis, std::int64_t p, std::int64_t i) {
  const double at = resample_place(axis, p), floor = std::floor(at);
  const auto first = static_cast<std::int64_t>(floor) - 1;
  double weight = 0;
  for (std::int64_t pixel = first; pixel < first + 4; ++pixel) {
    const std::int64_t inside = pixel < 0 ? 0 : pixel < axis.size ? pixel : axis.size - 1;
    if (inside == i) weight += cubic_weight(at - static_cast<double>(pixel), -0.75);
  }
  return weight;
}

// The pixels of x that output p reads; begin and end grow with p.
PLIANT_HD inline ResampleRun resample_inputs(const ResampleAxis& axis, std::int64_t p) {
  switch (axis.rule) {
    case ResampleRule::average:
    case ResampleRule::average_of_padded: {
      const std::int64_t start = p * axis.stride - axis.before, stop = start + axis.kernel;
      return {start > 0 ? start : 0, stop < axis.size ? stop : axis.size};
    }
    case ResampleRule::average_adaptive:
      return {p * axis.size / axis.out, ((p + 1) * axis.size + axis.out - 1) / axis.out};
    case ResampleRule::nearest:
    case ResampleRule::nearest_centres: {
      // A scale such as 1.1 is a rounded number: what falls short of a whole number by that is one.
      constexpr double kUp = 1 + 0x1p-50;
      const auto at = static_cast<std::int64_t>(resample_place(axis, p) * kUp);
      const std::int64_t pixel = at < axis.size ? at : axis.size - 1;
      return {pixel, pixel + 1};
    }
    case ResampleRule::cubic_corners:
    case ResampleRule::cubic_centres: {
      const auto low = static_cast<std::int64_t>(std::floor(resample_place(axis, p)));
      const std::int64_t begin = low - 1 < axis.size ? low - 1 : axis.size - 1, end = low + 3;
      return {begin > 0 ? begin : 0, end < axis.size ? end : axis.size};
    }
    case ResampleRule::linear_filter:
    case ResampleRule::cubic_filter: {
      const double middle = resample_place(axis, p) + 0.5, reach = filter_reach(axis);
      const double begin = middle - reach, end = middle + reach;
      const auto last = static_cast<double>(axis.size);
      return {begin > 0 ? static_cast<std::int64_t>(begin) : 0,
              end < last ? static_cast<std::int64_t>(end) : axis.size};
    }
    default: {
      const AxisTap<double> tap =
          axis_tap(resample_place(axis, p), static_cast<std::int32_t>(axis.size), Border::clamp);
      return {tap.low, (tap.high < 0 ? tap.low : tap.high) + 1};
    }
  }
}

PLIANT_HD inline bool is_average(ResampleRule rule) {
  return rule == ResampleRule::average || rule == ResampleRule::average_of_padded ||
         rule == ResampleRule::average_adaptive;
}

// What output p is divided by.
PLIANT_HD inline double resample_divisor(const ResampleAxis& axis, std::int64_t p) {
  if (axis.rule == ResampleRule::average || axis.rule == ResampleRule::average_adaptive) {
    const ResampleRun run = resample_inputs(axis, p);
    return static_cast<double>(run.end - run.begin);
  }
  if (is_filter(axis.rule)) {
    const ResampleRun run = resample_inputs(axis, p);
    double sum = 0;
    for (std::int64_t i = run.begin; i < run.end; ++i) sum += filter_weight(axis, p, i);
    return sum;
  }
  if (axis.rule != ResampleRule::average_of_padded) return 1;
  const std::int64_t start = p * axis.stride - axis.before, stop = start + axis.kernel;
  const std::int64_t last = axis.size + axis.after;
  return static_cast<double>((stop < last ? stop : last) - start);
}

// The weight of pixel i, one of resample_inputs(axis, p).
PLIANT_HD inline double resample_weight(const ResampleAxis& axis, std::int64_t p, std::int64_t i) {
  if (is_filter(axis.rule)) return filter_weight(axis, p, i);
  if (is_cubic(axis.rule)) return cubic_tap(axis, p, i);
  if (axis.rule != ResampleRule::linear_corners && axis.rule != ResampleRule::linear_centres)
    return 1;
  const AxisTap<double> tap =
      axis_tap(resample_place(axis, p), static_cast<std::int32_t>(axis.size), Border::clamp);
  return i == tap.low ? tap.low_weight : tap.high_weight;
}

// The outputs that read pixel i of x: those whose run ends past it and begins no later, found by
// bisection.
PLIANT_HD inline ResampleRun resample_outputs(const ResampleAxis& axis, std::int64_t i) {
  const auto first = [&axis](auto holds) {
    std::int64_t low = 0, high = axis.out;
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      if (holds(resample_inputs(axis, middle)))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  const std::int64_t begin = first([i](const ResampleRun& run) { return run.end > i; });
  const std::int64_t end = first([i](const ResampleRun& run) { return run.begin > i; });
  return {begin, begin < end ? end : begin};
}

enum class ResampleWay : unsigned char {
  forward,     // from x [n rows.size columns.size c] to y [n rows.out columns.out c]
  transposed,  // from y's shape to x's: the gradient
};

// At most so many terms in a sum along one axis.
inline std::int64_t longest_run(const ResampleAxis& axis, ResampleWay way) {
  const bool forward = way == ResampleWay::forward;
  const std::int64_t from = forward ? axis.size : axis.out, to = forward ? axis.out : axis.size;
  const auto most = [from](std::int64_t terms) { return terms < from ? terms : from; };
  switch (axis.rule) {
    case ResampleRule::average:
    case ResampleRule::average_of_padded:
      return most(forward ? axis.kernel : axis.kernel / axis.stride + 1);
    case ResampleRule::average_adaptive:
      return most(from / to + 2);
    case ResampleRule::linear_filter:
    case ResampleRule::cubic_filter: {
      const double width = 2 * filter_reach(axis);  // in pixels of x
      const double terms = forward ? width : width * axis.per / axis.step;
      return terms < static_cast<double>(from) ? most(static_cast<std::int64_t>(terms) + 2) : from;
    }
    case ResampleRule::cubic_corners:
    case ResampleRule::cubic_centres:
      return most(forward ? 4 : 4 * (from / to + 2));
    default:
      return most(forward ? 2 : 2 * (from / to + 2));
  }
}
// Longer sums are held in double.
inline bool sums_are_short(const ResampleGeometry& g, ResampleWay way) {
  constexpr std::int64_t kMost = 128;
  const std::int64_t rows = longest_run(g.rows, way), columns = longest_run(g.columns, way);
  return rows <= kMost && columns <= kMost && rows * columns <= kMost;
}

template <class T>
using Resample = void(const ResampleGeometry&, ResampleWay, const T* from, T* to, Workspace&);

namespace cpu {
extern FloatKernel<Resample> resample;
}  // namespace cpu

namespace cuda {
extern FloatKernel<Resample> resample;
}  // namespace cuda

}  // namespace pliant
