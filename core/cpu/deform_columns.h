// The walk over the locations and taps of a deformable convolution, shared by its CPU kernels, and
// the gathering of samples into columns; the way back is deform_spread.h.
// Called from deform_conv*.cpp and its relatives deform_kernel*.cpp and dcn.cpp alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/column_memory.h>
#include <pliant/core/cpu/vectors.h>
#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

// A range of taps (r * S + s) or of channels.
struct Range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

// Columns, or weights, of some channels: [blocks][positions][block]. A block holds the channels
// that one product takes: those of a weight group, or all of them.
struct ColumnLayout {
  std::int64_t channels, block, positions;

  std::int64_t blocks() const { return channels / block; }
  std::int64_t width() const { return channels * positions; }
};

// Rows that a weight gradient gathers at a time. Its products add up 64 rows and then store, so
// whole 64s give the same bits.
inline std::int64_t gradient_tile_rows(std::int64_t row_bytes) {
  return std::clamp<std::int64_t>(column_rows(row_bytes) / 64, 1, 2) * 64;
}

// Rows that a forward gathers at a time. Each tile is a task there, so memory to spare does not
// make them so large that a thread has none; no bit depends on it.
inline std::int64_t forward_tile_rows(std::int64_t rows, std::int64_t row_bytes) {
  const std::int64_t threads = thread_count();
  return std::min(column_rows(row_bytes), (rows + threads - 1) / threads);
}

template <class T>
struct DeformSource {
  const DeformGeometry& geometry;
  const T* x;
  const T* offset;
  const T* mask;   // may be null
  const T* zeros;  // [c]: what a neighbour outside the map reads

  std::int64_t taps() const { return geometry.conv.r * geometry.conv.s; }
  std::int64_t locations() const { return geometry.conv.p * geometry.conv.q; }  // of one image
  std::int64_t rows() const { return geometry.conv.n * locations(); }
  std::int64_t group_channels() const { return geometry.conv.c / geometry.offset_groups; }
  std::int64_t image_size() const { return geometry.conv.h * geometry.conv.w * geometry.conv.c; }
};

// mask may be null.
template <class T>
DeformSource<T> source_of(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                          Workspace& workspace) {
  T* const zeros = workspace.take<T>(g.conv.c);
  std::fill_n(zeros, g.conv.c, T(0));
  return {g, x, offset, mask, zeros};
}

// Calls f(rows) for tiles of an image's locations, for a task that owns `channels` of it. Tasks
// with other channels begin elsewhere: processors that write side by side at the same time take
// each other's cache lines away.
template <class F>
inline void each_tile(std::int64_t image, std::int64_t locations, Range channels, std::int64_t c,
                      std::int64_t tile, F&& f) {
  const std::int64_t start = locations * channels.begin / c;
  for (const Range part : {Range{start, locations}, Range{0, start}})
    for (std::int64_t at = part.begin; at < part.end; at += tile)
      f(Range{image * locations + at, image * locations + std::min(part.end, at + tile)});
}

// Walks the pairs (row, offset group) in order, groups within rows.
struct UnitWalk {
  const DeformGeometry& geometry;
  Range groups;
  std::int64_t row, group, p, q;

  UnitWalk(const DeformGeometry& g, std::int64_t first_row, Range offset_groups)
      : geometry(g),
        groups(offset_groups),
        row(first_row),
        group(offset_groups.begin),
        p(first_row / g.conv.q % g.conv.p),
        q(first_row % g.conv.q) {}
  void advance() {
    if (++group < groups.end) return;
    group = groups.begin;
    ++row;
    if (++q < geometry.conv.q) return;
    q = 0;
    if (++p == geometry.conv.p) p = 0;
  }
};

// The taps of up to kBatch samples, one array for each number, so that they are computed with
// vectors. Sample i is to be multiplied by mask[i].
template <class T>
struct SampleBatch {
  static constexpr std::int64_t kBatch = 128;
  const DeformGeometry& geometry;
  Range taps;
  std::int64_t count = 0;
  T tap_y[kBatch], tap_x[kBatch];  // from tap (0, 0)
  T y[kBatch], x[kBatch], mask[kBatch];
  std::int32_t pixel[4][kBatch];
  T weight[4][kBatch], d_row[4][kBatch], d_column[4][kBatch];

  SampleBatch(const DeformGeometry& g, Range range) : geometry(g), taps(range) {
    for (std::int64_t i = 0; i < taps.size(); ++i) {
      const std::int64_t r = (taps.begin + i) / g.conv.s, s = (taps.begin + i) % g.conv.s;
      tap_y[i] = static_cast<T>(g.conv.row(0, r) - g.conv.row(0, 0));
      tap_x[i] = static_cast<T>(g.conv.column(0, s) - g.conv.column(0, 0));
    }
  }

  // Puts in the coordinates of all taps of a unit.
  void add(const DeformSource<T>& source, const UnitWalk& unit) {
    const std::int64_t pair = deform_pair(geometry, unit.row, unit.group, taps.begin);
    const T* const offset = source.offset + 2 * pair;
    const T base_y = static_cast<T>(geometry.conv.row(unit.p, 0));
    const T base_x = static_cast<T>(geometry.conv.column(unit.q, 0));
    for (std::int64_t i = 0; i < taps.size(); ++i) {
      y[count + i] = deform_coordinate(base_y, tap_y[i], offset[2 * i]);
      x[count + i] = deform_coordinate(base_x, tap_x[i], offset[2 * i + 1]);
    }
    if (source.mask == nullptr)
      std::fill_n(mask + count, taps.size(), T(1));
    else
      std::copy_n(source.mask + pair, taps.size(), mask + count);
    count += taps.size();
  }

  void compute() {
    if (geometry.border == Border::zeros)
      compute<Border::zeros>();
    else
      compute<Border::dcn_v1>();
  }

 private:
  template <Border border>
  void compute() {
    const std::int64_t h = geometry.conv.h, w = geometry.conv.w, size = count;
    for (std::int64_t i = 0; i < size; ++i) {
      const BilinearTap<T> tap = bilinear_tap(y[i], x[i], h, w, border);
      for (int j = 0; j < 4; ++j) {
        pixel[j][i] = tap.pixel[j];
        weight[j][i] = tap.weight[j];
        d_row[j][i] = tap.d_row[j];
        d_column[j][i] = tap.d_column[j];
      }
    }
  }
};

// What one sample of a batch belongs to.
struct SamplePlace {
  std::int64_t row;   // location in the whole batch of images
  std::int64_t pair;  // its offsets and mask: deform_pair()
  std::int64_t tap;
  Range channels;  // that share it
};

// Calls f(place, batch, i) for every row, offset group that has some of `channels`, and tap, in
// this order. More than kBatch taps are walked in several rounds, row by row: the order in which
// the gradient by x is summed must not depend on how many rows there are.
template <class T, class F>
inline void for_each_sample(const DeformSource<T>& source, Range rows, Range taps, Range channels,
                            F&& f) {
  using Batch = SampleBatch<T>;
  if (taps.size() > Batch::kBatch) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      for (std::int64_t tap = taps.begin; tap < taps.end; tap += Batch::kBatch)
        for_each_sample(source, {row, row + 1}, {tap, std::min(taps.end, tap + Batch::kBatch)},
                        channels, f);
    return;
  }
  const DeformGeometry& g = source.geometry;
  const std::int64_t own = source.group_channels();
  const Range groups{channels.begin / own, (channels.end - 1) / own + 1};
  Batch batch(g, taps);
  UnitWalk ahead(g, rows.begin, groups), behind = ahead;
  const std::int64_t units = rows.size() * groups.size(), step = Batch::kBatch / taps.size();
  for (std::int64_t unit = 0; unit < units; unit += step) {
    const std::int64_t last = std::min(units, unit + step);
    batch.count = 0;
    for (std::int64_t u = unit; u < last; ++u, ahead.advance()) batch.add(source, ahead);
    batch.compute();
    std::int64_t at = 0;
    for (std::int64_t u = unit; u < last; ++u, behind.advance()) {
      const Range shared{std::max(channels.begin, behind.group * own),
                         std::min(channels.end, (behind.group + 1) * own)};
      SamplePlace place{behind.row, deform_pair(g, behind.row, behind.group, taps.begin),
                        taps.begin, shared};
      for (; place.tap < taps.end; ++place.tap, ++place.pair) f(place, batch, at++);
    }
  }
}

// sum over i of weight[i] * v[i], for a number or a vector of them.
template <class V, class T>
inline V blended(const V (&v)[4], const T (&weight)[4]) {
  return v[0] * weight[0] + v[1] * weight[1] + (v[2] * weight[2] + v[3] * weight[3]);
}

// to[c] = sum over i of weight[i] * from[i][c].
template <class T>
inline void blend(const T* const (&from)[4], const T (&weight)[4], std::int64_t count, T* to) {
  along_channels<T>(count, [&]<class V>(std::int64_t c, V*) {
    V v[4];
    for (int i = 0; i < 4; ++i) load(from[i] + c, v[i]);
    store(blended(v, weight), to + c);
  });
}

// Calls f(begin, size, at) for the part of each block that `channels` cover; the part of tap t
// begins at element `at` of a row of the columns, whose channels are counted from `first`.
template <class F>
inline void for_each_block(const ColumnLayout& layout, std::int64_t first, Range channels,
                           std::int64_t tap, F&& f) {
  for (std::int64_t begin = channels.begin; begin < channels.end;) {
    const std::int64_t block = (begin - first) / layout.block;
    const std::int64_t from = first + block * layout.block;
    const std::int64_t end = std::min(channels.end, from + layout.block);
    f(begin, end - begin, (block * layout.positions + tap) * layout.block + (begin - from));
    begin = end;
  }
}

// columns [rows][blocks][taps][block]: the samples, times their mask.
template <class T>
inline void gather_columns(const DeformSource<T>& source, Range rows, Range taps,
                           const ColumnLayout& layout, T* columns) {
  const std::int64_t c = source.geometry.conv.c, locations = source.locations();
  for (std::int64_t first = rows.begin; first < rows.end;) {  // one stretch per image
    const std::int64_t image = first / locations;
    const Range stretch{first, std::min(rows.end, (image + 1) * locations)};
    const T* const x = source.x + image * source.image_size();
    const auto gather = [&](const SamplePlace& place, const SampleBatch<T>& batch, std::int64_t i) {
      T weight[4];
      for (int j = 0; j < 4; ++j) weight[j] = batch.weight[j][i] * batch.mask[i];
      T* const row = columns + (place.row - rows.begin) * layout.width();
      for_each_block(layout, 0, place.channels, place.tap - taps.begin,
                     [&](std::int64_t begin, std::int64_t size, std::int64_t at) {
                       const T* from[4];
                       for (int j = 0; j < 4; ++j) {
                         const std::int64_t pixel = batch.pixel[j][i];
                         from[j] = pixel < 0 ? source.zeros : x + pixel * c + begin;
                       }
                       blend(from, weight, size, row + at);
                     });
    };
    for_each_sample(source, stretch, taps, {0, c}, gather);
    first = stretch.end;
  }
}

// The weight gradient by matrix products, in deform_conv2d.cpp; for T = float and double.
template <class T>
void add_up_columns(const DeformSource<T>& source, const T* dy, T* dweight, Workspace& workspace);

}  // namespace pliant::cpu
