#include <pliant/core/cpu/conv2d_taps.h>

#include <algorithm>

#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/per_thread.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {
namespace {

constexpr std::int64_t kTilesPerTask = 16;
constexpr std::int64_t kTasksWanted = 32;  // fewer leave cores idle: then tasks are made smaller
constexpr std::int64_t kFewChannels = 16;  // below, a tap is a whole kernel row

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Steps through the locations of a grid without dividing for each.
struct Cursor {
  std::int64_t image, row, column;

  template <class T>
  Cursor(const Grid<T>& grid, std::int64_t location)
      : image(location / (grid.rows * grid.columns)),
        row(location / grid.columns % grid.rows),
        column(location % grid.columns) {}

  template <class T>
  void advance(const Grid<T>& grid) {
    if (++column < grid.columns) return;
    column = 0;
    if (++row < grid.rows) return;
    row = 0;
    ++image;
  }
};

// Where every tap of one location starts: to[t * kTileRows].
template <class T>
void point(const TappedMap<T>& map, const Cursor& at, const T* zeros, const T** to) {
  const T* const image = map.data + at.image * map.stride.image;
  const std::int64_t first_row = at.row * map.step_h, first_column = at.column * map.step_w;
  for (const Tap& tap : map.taps) {
    const std::int64_t row = first_row + tap.row, column = first_column + tap.column;
    const bool inside = row >= 0 && row < map.h && column >= 0 && column < map.w;
    *to = inside ? image + row * map.stride.row + column * map.stride.pixel : zeros;
    to += kTileRows;
  }
}

// Part of one walk: locations [first, last) and panels [panel, last_panel) of the filters.
template <class T>
struct Part {
  const Walk<T>& walk;
  std::int64_t first, last, panel, last_panel;
};

// Where a task's locations lie: room for what is worked out once and serves every panel.
template <class T>
struct Places {
  const T** sources;  // [tiles][taps][kTileRows]
  T** results;        // [tiles][kTileRows]
};

template <class T>
void run_part(const Part<T>& part, const T* zeros, const Places<T>& places) {
  const auto& [walk, first, last, first_panel, last_panel] = part;
  const auto taps = static_cast<std::int64_t>(walk.source.taps.size());
  const std::int64_t tiles = ceil_divide(last - first, kTileRows);
  Cursor at(walk.grid, first);
  for (std::int64_t i = 0; i < last - first; ++i, at.advance(walk.grid)) {
    point(walk.source, at, zeros,
          places.sources + i / kTileRows * taps * kTileRows + i % kTileRows);
    const MapStrides& stride = walk.grid.stride;
    places.results[i] =
        walk.grid.data + at.image * stride.image + at.row * stride.row + at.column * stride.pixel;
  }
  const Panels<T> panels(walk.weight.n);
  for (std::int64_t p = first_panel; p < last_panel; ++p) {
    const Panel panel = panels[p];
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t rows = std::min(kTileRows, last - first - tile * kTileRows);
      T* to[kTileRows];
      for (std::int64_t i = 0; i < rows; ++i)
        to[i] = places.results[tile * kTileRows + i] + panel.first;
      gemm_tile<T>({rows, places.sources + tile * taps * kTileRows, to}, taps, walk.source.depth,
                   panel, walk.weight.data + walk.weight.k * panel.first, walk.bias,
                   Accumulate::no);
    }
  }
}

// The same for a walk whose taps all lie inside, in whole lines: their locations are evenly spaced.
template <class T>
void run_lines(const Part<T>& part, const T** starts) {
  const Walk<T>& walk = part.walk;
  const TappedMap<T>& map = walk.source;
  const Grid<T>& grid = walk.grid;
  const auto taps = static_cast<std::int64_t>(map.taps.size());
  const Panels<T> panels(walk.weight.n);
  for (std::int64_t line = part.first / grid.columns; line < part.last / grid.columns; ++line) {
    const std::int64_t image = line / grid.rows, row = line % grid.rows;
    for (std::size_t t = 0; t < map.taps.size(); ++t)
      starts[t] = map.data + image * map.stride.image +
                  (row * map.step_h + map.taps[t].row) * map.stride.row +
                  map.taps[t].column * map.stride.pixel;
    const Line<T> pixels{grid.columns, starts, map.step_w * map.stride.pixel,
                         grid.data + image * grid.stride.image + row * grid.stride.row,
                         grid.stride.pixel};
    for (std::int64_t p = part.panel; p < part.last_panel; ++p)
      gemm_line(pixels, taps, map.depth, panels[p],
                walk.weight.data + walk.weight.k * panels[p].first, walk.bias);
  }
}

// The extents of the input with its padding, as far as it is read.
std::int64_t padded_rows(const Conv2dGeometry& g) {
  return (g.p - 1) * g.stride_h + (g.r - 1) * g.dilation_h + 1;
}
std::int64_t padded_columns(const Conv2dGeometry& g) { return (g.q - 1) * g.stride_w + g.s; }

// Whether a copy with the padding is not vastly larger than what is read and written anyway.
bool may_be_padded(const Conv2dGeometry& g) {
  const double padded =
      static_cast<double>(padded_rows(g)) * static_cast<double>(padded_columns(g));
  return padded <= 64 * static_cast<double>(g.h * g.w + g.p * g.q * g.r * g.s);
}

// The padded copy of the input in which no tap lies outside.
template <class T>
TappedMap<T> padded_input(const Conv2dGeometry& g, const T* x, Workspace& workspace) {
  const std::int64_t rows = padded_rows(g), columns = padded_columns(g);
  T* const padded = workspace.take<T>(g.n * rows * columns * g.c);
  const std::int64_t first = std::clamp<std::int64_t>(g.pad_left, 0, columns);
  const std::int64_t last = std::clamp(g.pad_left + g.w, first, columns);
  parallel_for(g.n, [&](std::int64_t n) {
    for (std::int64_t row = 0; row < rows; ++row) {
      T* const to = padded + (n * rows + row) * columns * g.c;
      const std::int64_t h = row - g.pad_top;
      if (h < 0 || h >= g.h) {
        std::fill_n(to, columns * g.c, T(0));
        continue;
      }
      std::fill_n(to, first * g.c, T(0));
      std::copy_n(x + ((n * g.h + h) * g.w + first - g.pad_left) * g.c, (last - first) * g.c,
                  to + first * g.c);
      std::fill_n(to + last * g.c, (columns - last) * g.c, T(0));
    }
  });
  TappedMap<T> map{padded,     rows,       columns, {rows * columns * g.c, columns * g.c, g.c},
                   g.stride_h, g.stride_w, {},      g.s * g.c,
                   true};
  map.taps.reserve(static_cast<std::size_t>(g.r));
  for (std::int64_t r = 0; r < g.r; ++r) map.taps.push_back({r * g.dilation_h, 0});
  return map;
}

}  // namespace

std::vector<PhaseTap> phase_taps(std::int64_t phase, std::int64_t taps, std::int64_t stride,
                                 std::int64_t pad, std::int64_t dilation) {
  std::vector<PhaseTap> found;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const std::int64_t distance = phase + pad - tap * dilation;
    if (distance % stride == 0) found.push_back({tap, distance / stride});
  }
  return found;
}

template <class T>
TappedMap<T> tapped_input(const Conv2dGeometry& g, const T* x, Workspace& workspace) {
  const bool padding_is_known = g.pad_left >= 0 && g.p > 0 && g.q > 0;
  if (g.groups == 1 && g.c < kFewChannels && g.s > 1 && g.dilation_w == 1 && padding_is_known &&
      may_be_padded(g))
    return padded_input(g, x, workspace);
  TappedMap<T> map{x,          g.h,        g.w, {g.h * g.w * g.c, g.w * g.c, g.c},
                   g.stride_h, g.stride_w, {},  g.c / g.groups};
  map.taps.reserve(static_cast<std::size_t>(g.r * g.s));
  for (std::int64_t r = 0; r < g.r; ++r)
    for (std::int64_t s = 0; s < g.s; ++s) map.taps.push_back({g.row(0, r), g.column(0, s)});
  return map;
}

template <class T>
void run(const std::vector<Walk<T>>& walks, const T* zeros, Workspace& workspace) {
  std::int64_t locations = 0, taps = 0;
  for (const Walk<T>& walk : walks) {
    locations += walk.grid.size();
    taps = std::max(taps, static_cast<std::int64_t>(walk.source.taps.size()));
  }
  const std::int64_t tiles_each =
      std::clamp<std::int64_t>(locations / (kTasksWanted * kTileRows), 1, kTilesPerTask);
  // Locations of a task: some tiles, or about as many in whole lines.
  const auto block = [&](const Walk<T>& walk) {
    const std::int64_t usual = tiles_each * kTileRows;
    return walk.source.inside ? ceil_divide(usual, walk.grid.columns) * walk.grid.columns : usual;
  };
  // With more filters than locations every panel of them has parts of its own, so that a thread
  // reads those alone that it has packed.
  const auto stripes = [](const Walk<T>& walk) {
    return walk.weight.n > walk.grid.size() ? Panels<T>(walk.weight.n).count() : 1;
  };
  // Walks take turns: what one read or wrote is still in cache when its neighbour comes by.
  std::vector<Part<T>> parts;
  parts.reserve(static_cast<std::size_t>(locations / (tiles_each * kTileRows)) + walks.size());
  const auto add_round = [&](std::int64_t stripe, std::int64_t round) {
    const std::size_t before = parts.size();
    for (const Walk<T>& walk : walks) {
      const std::int64_t first = round * block(walk), own = stripes(walk);
      const std::int64_t panels = Panels<T>(walk.weight.n).count();
      if (stripe < own && first < walk.grid.size())
        parts.push_back({walk, first, std::min(first + block(walk), walk.grid.size()),
                         panels * stripe / own, panels * (stripe + 1) / own});
    }
    return parts.size() > before;
  };
  for (std::int64_t stripe = 0; add_round(stripe, 0); ++stripe)
    for (std::int64_t round = 1; add_round(stripe, round);) ++round;
  const PerThread<const T*> sources(tiles_each * kTileRows * taps, workspace);
  const PerThread<T*> results(tiles_each * kTileRows, workspace);
  parallel_for(static_cast<std::int64_t>(parts.size()), [&](std::int64_t i) {
    const Part<T>& part = parts[static_cast<std::size_t>(i)];
    if (part.walk.source.inside)
      run_lines(part, sources.of());
    else
      run_part(part, zeros, {sources.of(), results.of()});
  });
}

template <class T>
const T* take_zeros(std::int64_t count, Workspace& workspace) {
  T* const zeros = workspace.take<T>(count);
  std::fill_n(zeros, count, T(0));
  return zeros;
}

template TappedMap<float> tapped_input(const Conv2dGeometry&, const float*, Workspace&);
template TappedMap<double> tapped_input(const Conv2dGeometry&, const double*, Workspace&);
template void run(const std::vector<Walk<float>>&, const float*, Workspace&);
template void run(const std::vector<Walk<double>>&, const double*, Workspace&);
template const float* take_zeros(std::int64_t, Workspace&);
template const double* take_zeros(std::int64_t, Workspace&);

}  // namespace pliant::cpu
