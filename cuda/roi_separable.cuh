// The kernels of pooling whose windows are one row window per (region, i) times one column window
// per (region, j): RoIAlign and position-sensitive average pooling.
#pragma once

#include <limits>

#include <pliant/cuda/roi.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant::cuda {

// The pixels along one axis that a bin reads, with the sums of their samples' weights.
template <class T>
struct AxisWindow {
  T* weights;  // [size], 0 at first
  PixelRange range;

  __device__ void add(std::int64_t at, T weight) {
    weights[at] += weight;
    widen(range, {at, at + 1});
  }
};

// Those of the bins of some regions, and how many samples each is the mean of.
template <class T>
struct AxisWindows {
  std::int64_t bins, size;
  T* weights;         // [regions bins size]
  PixelRange* range;  // [regions bins]
  double* count;      // [regions bins]

  static std::int64_t bytes(std::int64_t bins, std::int64_t size) {  // of a region
    return bins * (size * static_cast<std::int64_t>(sizeof(T)) +
                   static_cast<std::int64_t>(sizeof(PixelRange) + sizeof(double)));
  }
  static AxisWindows of(std::int64_t regions, std::int64_t bins, std::int64_t size,
                        Workspace& workspace) {
    return {bins, size, workspace.take<T>(regions * bins * size),
            workspace.take<PixelRange>(regions * bins), workspace.take<double>(regions * bins)};
  }
};

// fill(from, to, bin, bins, size, window) makes the window of one bin along one axis, empty and
// with weights of 0 before, and gives its count. A copy of it goes to the device.
template <class T, class Fill>
struct SeparablePooling {
  const char* op;
  RoIGeometry g;
  const T* rois;
  Fill fill;

  void forward(const T* x, T* y, Workspace& workspace) const {
    with_windows(workspace, [&](std::int64_t first, std::int64_t count, const auto& rows,
                                const auto& columns) {
      if (g.groups() == 1 && are_vectors<T>(g.c, x, y))
        pool<kVector<T>>(first, count, rows, columns, x, y);
      else
        pool<1>(first, count, rows, columns, x, y);
    });
  }

  void gradient(const T* dy, T* dx, Workspace& workspace) const {
    set_to_zero(op, dx, g.n * g.h * g.w * g.c);
    RegionBox* const boxes = workspace.take<RegionBox>(g.r);
    with_windows(workspace, [&](std::int64_t first, std::int64_t count, const auto& rows,
                                const auto& columns) {
      fill_boxes(first, count, rows, columns, boxes);
      Workspace of_slice(Device::cuda());
      const RowLists lists = list_rows(op, g.n, g.h, count, boxes, of_slice);
      if (g.groups() == 1 && are_vectors<T>(g.c, dy, dx))
        add_gradient<kVector<T>>(first, rows, columns, lists, dy, dx);
      else
        add_gradient<1>(first, rows, columns, lists, dy, dx);
    });
  }

  // Calls f(first, count, rows, columns) for slices of the regions. One slice follows another on
  // the stream, so all use the same windows.
  template <class F>
  void with_windows(Workspace& workspace, F f) const {
    const std::int64_t bytes = AxisWindows<T>::bytes(g.p, g.h) + AxisWindows<T>::bytes(g.q, g.w);
    AxisWindows<T> rows{}, columns{};
    each_region_slice(g.r, bytes, [&](std::int64_t first, std::int64_t count) {
      if (first == 0) {
        rows = AxisWindows<T>::of(count, g.p, g.h, workspace);
        columns = AxisWindows<T>::of(count, g.q, g.w, workspace);
      }
      fill_windows(first, count, 2, rows);
      fill_windows(first, count, 1, columns);
      f(first, count, rows, columns);
    });
  }

  // corner: where the axis has its first corner in a region, 1 for x, 2 for y.
  void fill_windows(std::int64_t first, std::int64_t count, int corner,
                    const AxisWindows<T>& windows) const {
    set_to_zero(op, windows.weights, count * windows.bins * windows.size);
    const SeparablePooling self = *this;
    each(op, count * windows.bins, [=] __device__(std::int64_t at) {
      const T* const roi = self.rois + 5 * (first + at / windows.bins);
      AxisWindow<T> window{windows.weights + at * windows.size, {}};
      windows.count[at] =
          image_of(self.g, roi) < 0
              ? 0
              : self.fill(static_cast<double>(roi[corner]), static_cast<double>(roi[corner + 2]),
                          at % windows.bins, windows.bins, windows.size, window);
      windows.range[at] = window.range;
    });
  }

  __device__ static T scale(double rows, double columns) {
    const double count = rows * columns;
    return count > 0 ? static_cast<T>(1 / count) : T(0);
  }

  // kCount neighbouring channels of a bin by each thread.
  template <int kCount>
  void pool(std::int64_t first, std::int64_t count, const AxisWindows<T>& rows,
            const AxisWindows<T>& columns, const T* x, T* y) const {
    const SeparablePooling self = *this;
    const std::int64_t blocks = g.k / kCount;
    each(op, count * g.p * g.q * blocks, [=] __device__(std::int64_t at) {
      const RoIGeometry& g = self.g;
      const std::int64_t k = at % blocks * kCount, bin = at / blocks;
      const std::int64_t j = bin % g.q, i = bin / g.q % g.p, r = bin / g.q / g.p;
      const std::int64_t row_at = r * g.p + i, column_at = r * g.q + j;
      const std::int64_t image = image_of(g, self.rois + 5 * (first + r));
      const T* const map = x + image * g.h * g.w * g.c + k * g.groups() + g.group(i, j);
      Vector<T, kCount> sum{};
      for (std::int64_t row = rows.range[row_at].begin; row < rows.range[row_at].end; ++row) {
        const T row_weight = rows.weights[row_at * g.h + row];
        if (row_weight == T(0)) continue;  // between two samples
        Vector<T, kCount> of_row{};
        const PixelRange range = columns.range[column_at];
        for (std::int64_t column = range.begin; column < range.end; ++column) {
          const T weight = columns.weights[column_at * g.w + column];
          if (weight != T(0))
            add_scaled(weight, load<kCount>(map + (row * g.w + column) * g.c), of_row);
        }
        add_scaled(row_weight, of_row, sum);
      }
      const double count = rows.count[row_at] * columns.count[column_at];
      const T divisor = image < 0   ? std::numeric_limits<T>::quiet_NaN()
                        : count > 0 ? static_cast<T>(count)
                                    : T(1);
      for (int c = 0; c < kCount; ++c) sum.value[c] /= divisor;
      store(sum, y + (first * g.p * g.q + bin) * g.k + k);
    });
  }

  void fill_boxes(std::int64_t first, std::int64_t count, const AxisWindows<T>& rows,
                  const AxisWindows<T>& columns, RegionBox* boxes) const {
    const SeparablePooling self = *this;
    each(op, count, [=] __device__(std::int64_t r) {
      RegionBox box{image_of(self.g, self.rois + 5 * (first + r)), {}, {}};
      for (std::int64_t i = 0; i < rows.bins; ++i) widen(box.rows, rows.range[r * rows.bins + i]);
      for (std::int64_t j = 0; j < columns.bins; ++j)
        widen(box.columns, columns.range[r * columns.bins + j]);
      boxes[r] = box;
    });
  }

  // Each pixel looks for the bins that read it, in the order of the regions.
  template <int kCount>
  void add_gradient(std::int64_t first, const AxisWindows<T>& rows, const AxisWindows<T>& columns,
                    const RowLists& lists, const T* dy, T* dx) const {
    const RoIGeometry g = this->g;
    const std::int64_t blocks = g.c / kCount;
    each(op, g.n * g.h * g.w * blocks, [=] __device__(std::int64_t at) {
      const std::int64_t pixel = at / blocks, c = at % blocks * kCount;
      const std::int64_t w = pixel % g.w, h = pixel / g.w % g.h, image = pixel / g.w / g.h;
      const MapChannel of(g, c);
      LongSums<T, kCount> sum;
      sum.next() = load<kCount>(dx + pixel * g.c + c);
      lists.each(image, h, w, [&](std::int64_t r) {
        for (std::int64_t i = 0; i < g.p; ++i) {
          const T row_weight = rows.weights[(r * g.p + i) * g.h + h];
          if (row_weight == T(0)) continue;
          for (std::int64_t j = 0; j < g.q; ++j) {
            const T weight = row_weight * columns.weights[(r * g.q + j) * g.w + w];
            if (weight == T(0) || g.group(i, j) != of.group) continue;
            const T by = weight * scale(rows.count[r * g.p + i], columns.count[r * g.q + j]);
            const std::int64_t bin = ((first + r) * g.p + i) * g.q + j;
            add_scaled(by, load<kCount>(dy + bin * g.k + of.k), sum.next());
          }
        }
      });
      store(sum.total(), dx + pixel * g.c + c);
    });
  }
};

}  // namespace pliant::cuda
