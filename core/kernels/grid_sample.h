// Sampling of a map at places that a grid names (Jaderberg et al. 2015, Spatial Transformer
// Networks): geometry, formula and signatures. The rules are PyTorch's, but that derivatives at
// integer places are those of bilinear.h: the same where the border is zeros; with clamp PyTorch has
// 0 at 0, too.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

enum class GridRule : unsigned char { bilinear, nearest };

// What -1 and 1 mean.
enum class GridSpan : unsigned char {
  centres,  // the centres of the outermost pixels (align_corners)
  edges,    // the outer edges of the outermost pixels
};

struct GridSampleGeometry {
  std::int64_t n, h, w, c;  // x [n h w c]
  std::int64_t p, q;        // grid [n p q 2], y [n p q c]
  GridRule rule;
  Border border;  // zeros, clamp or reflection
  GridSpan span;
};

// A place on one axis of the map, and its derivative by the grid's coordinate.
template <class T>
struct GridPlace {
  T at, slope;
};

// `at` mirrored into [low, low + span]; infinite ones become NaN, which reads nothing.
template <class T>
PLIANT_HD GridPlace<T> grid_reflect(GridPlace<T> place, T low, T span) {
  if (span == T(0)) return {T(0), T(0)};
  const T distance = std::abs(place.at - low), flips = std::floor(distance / span);
  const bool backward = flips - 2 * std::floor(flips / 2) != T(0);
  const T rest = std::fmod(distance, span);
  T slope = place.at < low ? -place.slope : place.slope;
  if (backward) slope = -slope;
  return {(backward ? span - rest : rest) + low, slope};
}

template <class T>
PLIANT_HD GridPlace<T> grid_place(const GridSampleGeometry& g, T coordinate, std::int64_t size) {
  const T pixels = static_cast<T>(size);
  const bool centres = g.span == GridSpan::centres;
  const GridPlace<T> place =
      centres ? GridPlace<T>{(coordinate + 1) / 2 * (pixels - 1), (pixels - 1) / 2}
              : GridPlace<T>{((coordinate + 1) * pixels - 1) / 2, pixels / 2};
  if (g.border != Border::reflection) return place;
  return centres ? grid_reflect(place, T(0), pixels - 1) : grid_reflect(place, T(-0.5), pixels);
}

// The pixel of one axis nearest to a place, halves to the even one; -1: none.
template <class T>
PLIANT_HD std::int32_t grid_nearest(const GridSampleGeometry& g, T at, std::int64_t size) {
  const T end = static_cast<T>(size - 1);
  if (g.border != Border::zeros) at = at < T(0) ? T(0) : at > end ? end : at;
  const T rounded = std::rint(at);
  if (!(rounded >= T(0) && rounded <= end)) return -1;
  const auto pixel = static_cast<std::int64_t>(rounded);  // a large map's `end` may be beyond it
  if (pixel < size) return static_cast<std::int32_t>(pixel);
  return g.border == Border::zeros ? -1 : static_cast<std::int32_t>(size - 1);
}

// What y[.,p,q,.] reads, its pair of the grid being (along_w, along_h); d_row and d_column are
// derivatives by along_h and along_w.
template <class T>
PLIANT_HD BilinearTap<T> grid_tap(const GridSampleGeometry& g, T along_w, T along_h) {
  const GridPlace<T> row = grid_place(g, along_h, g.h), column = grid_place(g, along_w, g.w);
  if (g.rule == GridRule::nearest) {
    const std::int32_t i = grid_nearest(g, row.at, g.h), j = grid_nearest(g, column.at, g.w);
    const std::int32_t pixel = (i | j) < 0 ? -1 : i * static_cast<std::int32_t>(g.w) + j;
    return {{pixel, -1, -1, -1}, {T(1), T(0), T(0), T(0)}, {}, {}};
  }
  BilinearTap<T> tap = bilinear_tap(row.at, column.at, g.h, g.w, g.border);
  for (int k = 0; k < 4; ++k) {
    tap.d_row[k] *= row.slope;
    tap.d_column[k] *= column.slope;
  }
  return tap;
}

template <class T>
using GridSampleForward = void(const GridSampleGeometry&, const T* x, const T* grid, T* y);
// dx and dgrid may be null and are then left out.
template <class T>
using GridSampleGradient = void(const GridSampleGeometry&, const T* x, const T* grid, const T* dy,
                                T* dx, T* dgrid);

namespace cpu {
extern FloatKernel<GridSampleForward> grid_sample_forward;
extern FloatKernel<GridSampleGradient> grid_sample_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<GridSampleForward> grid_sample_forward;
extern FloatKernel<GridSampleGradient> grid_sample_gradient;
}  // namespace cuda

}  // namespace pliant
