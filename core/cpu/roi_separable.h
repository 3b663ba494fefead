// The CPU kernels of pooling whose windows are one row window per (region, i) times one column
// window per (region, j): RoIAlign and position-sensitive average pooling.
#pragma once

#include <pliant/core/cpu/roi_windows.h>

namespace pliant::cpu {

// fill(window, from, to, bin, bins, size) makes the window of one bin along one axis.
template <class T, class Fill>
class SeparablePooling {
 public:
  SeparablePooling(const RoIGeometry& g, const T* rois, Fill fill)
      : g_(g), rois_(rois), fill_(fill) {}

  void forward(const T* x, T* y, Workspace& workspace) const {
    const RoIGeometry& g = g_;
    const GroupedMap<T> map(g, x, workspace);
    parallel_blocks(g.r * g.p, kRowsOfBins, [&](std::int64_t begin, std::int64_t end) {
      AxisWindow<T> row;
      std::vector<AxisWindow<T>> columns(static_cast<std::size_t>(g.q));
      std::int64_t filled = -1;  // the region whose columns these are
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t r = at / g.p, i = at % g.p;
        if (filled != r)
          for (std::int64_t j = 0; j < g.q; ++j) fill_column(columns[index(j)], r, j);
        filled = r;
        fill_row(row, r, i);
        for (std::int64_t j = 0; j < g.q; ++j)
          pool_window(map.view(static_cast<std::int64_t>(rois_[5 * r]), g.group(i, j)), row,
                      columns[index(j)], T(1), g.k, y + (at * g.q + j) * g.k);
      }
    });
  }

  void gradient(const T* dy, T* dx, Workspace& workspace) const {
    const RoIGeometry& g = g_;
    PixelRange* const ranges = row_ranges(workspace);
    const auto add = [&](std::int64_t image, std::int64_t group, PixelRange rows,
                         const MapView<T>& to, HeldSums<T>& held) {
      AxisWindow<T> row;
      std::vector<AxisWindow<T>> columns(static_cast<std::size_t>(g.q));
      std::vector<std::int64_t> filled(columns.size(), -1);
      std::int64_t filled_row = -1;
      each_bin_of(g, rois_, image, group, [&](std::int64_t r, std::int64_t i, std::int64_t j) {
        if (!overlap(ranges[r * g.p + i], rows)) return;
        if (filled[index(j)] != r) fill_column(columns[index(j)], r, j);
        filled[index(j)] = r;
        if (filled_row != r * g.p + i) fill_row(row, r, i);
        filled_row = r * g.p + i;
        count_window(held, to, row, columns[index(j)], rows);
        spread_window(to, row, columns[index(j)], rows, scale(row, columns[index(j)]), g.k,
                      dy + ((r * g.p + i) * g.q + j) * g.k);
      });
    };
    own_rows(g, 1, dx, workspace, add);
  }

 private:
  static constexpr std::int64_t kRowsOfBins = 8;  // of a task

  static std::size_t index(std::int64_t j) { return static_cast<std::size_t>(j); }
  static T scale(const AxisWindow<T>& row, const AxisWindow<T>& column) {
    const double count = row.count * column.count;
    return count > 0 ? static_cast<T>(1 / count) : T(0);
  }
  void fill_row(AxisWindow<T>& window, std::int64_t r, std::int64_t i) const {
    window.clear();
    const T* const roi = rois_ + 5 * r;
    fill_(window, static_cast<double>(roi[2]), static_cast<double>(roi[4]), i, g_.p, g_.h);
  }
  void fill_column(AxisWindow<T>& window, std::int64_t r, std::int64_t j) const {
    window.clear();
    const T* const roi = rois_ + 5 * r;
    fill_(window, static_cast<double>(roi[1]), static_cast<double>(roi[3]), j, g_.q, g_.w);
  }
  // [r p]: which rows of the map the bins read.
  PixelRange* row_ranges(Workspace& workspace) const {
    PixelRange* const ranges = workspace.take<PixelRange>(g_.r * g_.p);
    parallel_blocks(g_.r, 64, [&](std::int64_t begin, std::int64_t end) {
      AxisWindow<T> row;
      for (std::int64_t at = begin * g_.p; at < end * g_.p; ++at) {
        fill_row(row, at / g_.p, at % g_.p);
        ranges[at] = row.range();
      }
    });
    return ranges;
  }

  const RoIGeometry& g_;
  const T* rois_;
  Fill fill_;
};

}  // namespace pliant::cpu
