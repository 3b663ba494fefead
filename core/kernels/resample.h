// Maps that are resampled by rows and columns apart: average pooling, nearest and bilinear
// interpolation. Geometry, formula and signatures.
//
//   y[n,p,q,c] = (sum over i, j of a[p,i] b[q,j] x[n,i,j,c]) / (d[p] e[q])
//
// where a and b, one for each axis, are weights of which only a run of neighbours is not 0, and d
// and e the numbers of pixels that an average is over, else 1: averages are sums that are divided
// once. The gradient is the same transposed, with weights a / d and b / e, and so is its gradient.
#pragma once

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
  linear_corners,     // between the pixels round p * step / per
  linear_centres,     // between those round (p + 0.5) * step / per - 0.5, clamped to the map
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
  return axis.rule == ResampleRule::linear_centres ? (at + 0.5) * axis.step / axis.per - 0.5
                                                   : at * axis.step / axis.per;
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
    case ResampleRule::nearest: {
      // A scale such as 1.1 is a rounded number: what falls short of a whole number by that is one.
      constexpr double kUp = 1 + 0x1p-50;
      const auto at = static_cast<std::int64_t>(resample_place(axis, p) * kUp);
      const std::int64_t pixel = at < axis.size ? at : axis.size - 1;
      return {pixel, pixel + 1};
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
  if (axis.rule != ResampleRule::average_of_padded) return 1;
  const std::int64_t start = p * axis.stride - axis.before, stop = start + axis.kernel;
  const std::int64_t last = axis.size + axis.after;
  return static_cast<double>((stop < last ? stop : last) - start);
}

// The weight of pixel i, one of resample_inputs(axis, p).
PLIANT_HD inline double resample_weight(const ResampleAxis& axis, std::int64_t p, std::int64_t i) {
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
