// What the three passes of the CPU's convolution share: a map read through taps, and the product
// whose rows are the locations of a grid. Internal to conv2d*.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <pliant/core/cpu/gemm.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant::cpu {

struct Interval {
  std::int64_t begin, end;
  std::int64_t size() const { return std::max<std::int64_t>(end - begin, 0); }
};

// The indices i in `range` for which 0 <= i * step + offset < size.
inline Interval inside(Interval range, std::int64_t step, std::int64_t offset, std::int64_t size) {
  const auto first_at_least = [&](std::int64_t value) {
    return value > 0 ? (value + step - 1) / step : 0;
  };
  return {std::max(range.begin, first_at_least(-offset)),
          std::min(range.end, first_at_least(size - offset))};
}

// Rows (columns) of the input that lie `phase` after a multiple of the stride are seen by only some
// of the taps, each of which belongs to one phase: row phase + i * stride is what output row
// offset + i reads through the tap.
struct PhaseTap {
  std::int64_t tap, offset;
};
std::vector<PhaseTap> phase_taps(std::int64_t phase, std::int64_t taps, std::int64_t stride,
                                 std::int64_t pad, std::int64_t dilation);

// Element strides of an NHWC map of which a group's channels are read or written.
struct MapStrides {
  std::int64_t image, row, pixel;
};

// Location (i, j) of the grid reads the map at (i * step_h + row, j * step_w + column).
struct Tap {
  std::int64_t row, column;
};

// A map and the taps through which it is read; what lies outside h x w is zero.
template <class T>
struct TappedMap {
  const T* data;
  std::int64_t h, w;
  MapStrides stride;
  std::int64_t step_h, step_w;
  std::vector<Tap> taps;
  std::int64_t depth;   // channels read per tap, one after the other in memory
  bool inside = false;  // whether no tap of any location lies outside
};

// The locations of a grid: all of a map, or one phase of a strided one.
template <class T>
struct Grid {
  T* data;
  std::int64_t images, rows, columns;
  MapStrides stride;

  std::int64_t size() const { return images * rows * columns; }
};

// grid[location, :] = bias + sum over taps t and depth d of source[tap(location), d] * weight[t, d]
template <class T>
struct Walk {
  TappedMap<T> source;
  Grid<T> grid;
  PackedMatrix<T> weight;  // [taps * depth, columns]
  const T* bias;           // may be null
};

// Runs all walks as one parallel loop; `zeros` must hold the depth of every walk. The bits of an
// element depend on nothing but its own taps.
template <class T>
void run(const std::vector<Walk<T>>& walks, const T* zeros, Workspace& workspace);

// The input of a convolution as its output grid reads it, for group 0 (group g: data + g * depth).
// Where there are few channels, a whole kernel row becomes one tap of a padded copy in `workspace`:
// the order of the elements over taps and depth is that of the weight either way.
template <class T>
TappedMap<T> tapped_input(const Conv2dGeometry& geometry, const T* x, Workspace& workspace);

// `count` zeros in the workspace.
template <class T>
const T* take_zeros(std::int64_t count, Workspace& workspace);

}  // namespace pliant::cpu
