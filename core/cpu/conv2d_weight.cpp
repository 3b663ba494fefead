// Weight gradient of conv2d: for every tap a product of two maps summed over locations. A task owns
// a block of the gradient and walks its locations window by window; a window's piece of either map
// stays in cache while all taps and channels of the task visit it.
#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/core/cpu/conv2d_taps.h>
#include <pliant/core/cpu/depthwise.h>
#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/winograd.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kWindowArea = 16384;  // elements of a window's panel: it stays in cache
constexpr std::int64_t kTasksWanted = 32;
constexpr std::int64_t kPartAtLeast = 1024;  // locations: fewer do not pay for a sum of their own

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Which of input channels and filters runs along vectors (the other is broadcast): that which
// wastes less of the last vector, and of equals the longer.
template <class T>
bool vectors_along_filters(std::int64_t channels, std::int64_t filters) {
  const std::int64_t along_filters = channels * Panels<T>(filters).width();
  const std::int64_t along_channels = filters * Panels<T>(channels).width();
  return along_filters != along_channels ? along_filters < along_channels : filters >= channels;
}

// Part `index` of `count` even parts of [0, size).
Interval part_of(std::int64_t size, std::int64_t index, std::int64_t count) {
  return {size * index / count, size * (index + 1) / count};
}

// Some pixels of an image.
struct Window {
  Interval rows, columns;
};

// Where the pixels of an image lie: (row, column) at data.
template <class T>
struct PixelView {
  const T* data;
  std::int64_t line, step;
  std::int64_t row = 0, column = 0;

  Lattice<T> from(std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) const {
    return {data + (i - row) * line + (j - column) * step, rows * line, columns * step};
  }
};

template <class T>
class WeightGradient {
 public:
  WeightGradient(const Conv2dGeometry& g, const T* x, const T* dy, Workspace& workspace)
      : g_(g),
        source_(tapped_input(g, x, workspace)),
        dy_(dy),
        filters_(g.k / g.groups),
        along_filters_(vectors_along_filters<T>(source_.depth, filters_)),
        panels_(along_filters_ ? filters_ : source_.depth) {
    if (source_.inside && along_filters_) {
      join_taps();
    } else {
      const std::int64_t rows = along_filters_ ? source_.depth : filters_;
      for (std::int64_t i = 0; i < rows; ++i) offsets_.push_back(i);
    }
    if (panels_.count() == 0 || g.p == 0 || g.q == 0) return;
    const std::int64_t width = panels_[0].width;
    // What a single tile visits need not stay in cache, if nothing is packed.
    const bool once = taps() * rows() <= max_patch_rows<T>(width) && along_filters_ && g.k == width;
    const std::int64_t most = once ? g.p * g.q : kWindowArea / width;
    window_columns_ = ceil_divide(g.q, ceil_divide(g.q, most));
    window_rows_ = ceil_divide(g.p, ceil_divide(g.p * window_columns_, most));
  }

  void run(T* dweight, Workspace& workspace) const {
    const std::int64_t lines = g_.n * g_.p, products = g_.groups * panels_.count();
    if (products == 0) return;
    const std::int64_t most =
        std::clamp<std::int64_t>(lines * g_.q / kPartAtLeast, 1, kMostPartials);
    const std::int64_t parts = std::min(ceil_divide(kTasksWanted, products), most);
    const std::int64_t stripes = std::min(ceil_divide(kTasksWanted, products * parts), taps());
    const std::int64_t size = g_.groups * taps() * rows() * panels_.width();
    const std::int64_t packed_size = largest_window() * panels_[0].width;
    T* const sums = workspace.take<T>(parts * size);
    T* const packed = workspace.take<T>(thread_count() * packed_size);
    const auto block = [&](std::int64_t index) {
      const Panel panel = panels_[index / stripes % panels_.count()];
      return Block{index / stripes / panels_.count(), panel,
                   part_of(taps(), index % stripes, stripes)};
    };
    parallel_for(parts * products * stripes, [&](std::int64_t task) {
      const std::int64_t part = task / (products * stripes);
      const Block own = block(task % (products * stripes));
      T* const sum = sums + part * size + start(own);
      add_lines(own, part_of(lines, part, parts), packed + thread_index() * packed_size, sum);
      if (parts == 1) store(own, sum, 1, size, dweight);
    });
    if (parts == 1) return;
    parallel_for(products * stripes, [&](std::int64_t task) {
      const Block own = block(task);
      store(own, sums + start(own), parts, size, dweight);
    });
  }

 private:
  // Of the gradient; its sum is [taps, rows(), panel.width], and that of all blocks
  // [groups, panels, taps, rows(), width].
  struct Block {
    std::int64_t group;
    Panel panel;
    Interval taps;
  };

  std::int64_t start(const Block& b) const {
    return rows() *
           (taps() * (b.group * panels_.width() + b.panel.first) + b.taps.begin * b.panel.width);
  }

  std::int64_t taps() const { return static_cast<std::int64_t>(source_.taps.size()); }
  std::int64_t rows() const { return static_cast<std::int64_t>(offsets_.size()); }
  const Tap& tap(std::int64_t t) const { return source_.taps[static_cast<std::size_t>(t)]; }

  // Where no tap lies outside, all read the same locations: one tap of as many channels.
  void join_taps() {
    for (const Tap& tap : source_.taps)
      for (std::int64_t d = 0; d < source_.depth; ++d)
        offsets_.push_back(tap.row * source_.stride.row + tap.column * source_.stride.pixel + d);
    source_.taps = {{0, 0}};
    source_.depth = rows();
  }

  // The pixels of x that some locations read.
  Window reach(const Window& locations, Interval taps) const {
    Tap low = tap(taps.begin), high = low;
    for (std::int64_t t = taps.begin; t < taps.end; ++t) {
      low = {std::min(low.row, tap(t).row), std::min(low.column, tap(t).column)};
      high = {std::max(high.row, tap(t).row), std::max(high.column, tap(t).column)};
    }
    const auto bounds = [](Interval range, std::int64_t step, std::int64_t first, std::int64_t last,
                           std::int64_t size) {
      return Interval{std::max<std::int64_t>(range.begin * step + first, 0),
                      std::min((range.end - 1) * step + last + 1, size)};
    };
    return {bounds(locations.rows, source_.step_h, low.row, high.row, source_.h),
            bounds(locations.columns, source_.step_w, low.column, high.column, source_.w)};
  }

  // Pixels that a task packs at most at a time.
  std::int64_t largest_window() const {
    if (along_filters_) return window_rows_ * window_columns_;
    const Tap first = source_.taps.front(), last = source_.taps.back();
    return std::min((window_rows_ - 1) * source_.step_h + last.row - first.row + 1, source_.h) *
           std::min((window_columns_ - 1) * source_.step_w + last.column - first.column + 1,
                    source_.w);
  }

  // sum [block.taps, rows, panel.width] = the block's part of the gradient over lines of dY.
  void add_lines(const Block& block, Interval lines, T* packed, T* sum) const {
    std::fill_n(sum, block.taps.size() * rows() * block.panel.width, T(0));
    for (std::int64_t line = lines.begin; line < lines.end;) {
      const std::int64_t image = line / g_.p, row = line % g_.p;
      const std::int64_t count = std::min({window_rows_, lines.end - line, g_.p - row});
      for (std::int64_t q = 0; q < g_.q; q += window_columns_)
        add_window(block, image, {{row, row + count}, {q, std::min(g_.q, q + window_columns_)}},
                   packed, sum);
      line += count;
    }
  }

  void add_window(const Block& block, std::int64_t image, const Window& window, T* packed,
                  T* sum) const {
    const std::int64_t width = block.panel.width;
    PixelView<T> x{source_.data + block.group * source_.depth + image * source_.stride.image,
                   source_.stride.row, source_.stride.pixel};
    PixelView<T> dy{dy_ + block.group * filters_ + image * g_.p * g_.q * g_.k, g_.q * g_.k, g_.k};
    if (along_filters_)
      dy = pack(dy, window, block.panel, packed);
    else
      x = pack(x, reach(window, block.taps), block.panel, packed);
    const std::int64_t tiles = ceil_divide(rows(), max_patch_rows<T>(width));
    for (std::int64_t t = block.taps.begin; t < block.taps.end; ++t) {
      const Interval i = inside(window.rows, source_.step_h, tap(t).row, source_.h);
      const Interval j = inside(window.columns, source_.step_w, tap(t).column, source_.w);
      if (i.size() == 0 || j.size() == 0) continue;
      const Lattice<T> from_x =
          x.from(i.begin * source_.step_h + tap(t).row, j.begin * source_.step_w + tap(t).column,
                 source_.step_h, source_.step_w);
      const Lattice<T> from_dy = dy.from(i.begin, j.begin, 1, 1);
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const Interval own = part_of(rows(), tile, tiles);
        gemm_patch(along_filters_ ? from_x : from_dy, along_filters_ ? from_dy : from_x, i.size(),
                   j.size(), offsets_.data() + own.begin, own.size(), width,
                   sum + ((t - block.taps.begin) * rows() + own.begin) * width, width);
      }
    }
  }

  // A panel of the window's pixels, side by side: in place, one in four cache lines of a wide map
  // would crowd into a quarter of the cache's sets.
  PixelView<T> pack(const PixelView<T>& map, const Window& window, const Panel& panel,
                    T* packed) const {
    if (map.step == panel.width && panel.columns == panel.width)
      return {map.data + panel.first, map.line, map.step};
    const std::int64_t line = window.columns.size() * panel.width;
    for (std::int64_t i = 0; i < window.rows.size(); ++i) {
      const T* const from = map.from(window.rows.begin + i, window.columns.begin, 1, 1).data;
      pack_panel(panel, window.columns.size(), MatrixView<T>{from, map.step}, packed + i * line);
    }
    return {packed, line, panel.width, window.rows.begin, window.columns.begin};
  }

  // Adds up a block's parts, `size` elements apart, and turns them as dweight has them.
  void store(const Block& b, const T* sum, std::int64_t parts, std::int64_t size,
             T* dweight) const {
    constexpr std::int64_t kRows = 16;
    T total[kRows * kMaxPanelWidth];
    const std::int64_t filter_stride = taps() * source_.depth, width = b.panel.width;
    const std::int64_t row_stride = along_filters_ ? 1 : filter_stride;
    const std::int64_t column_stride = along_filters_ ? filter_stride : 1;
    dweight += b.group * filters_ * filter_stride + b.panel.first * column_stride;
    for (std::int64_t t = b.taps.begin; t < b.taps.end; ++t)
      for (std::int64_t first = 0; first < rows(); first += kRows) {
        const std::int64_t count = std::min(kRows, rows() - first);
        std::copy_n(sum, count * width, total);
        for (std::int64_t part = 1; part < parts; ++part)
          for (std::int64_t i = 0; i < count * width; ++i) total[i] += sum[part * size + i];
        T* const to = dweight + t * source_.depth + first * row_stride;
        for (std::int64_t j = 0; j < b.panel.columns; ++j)
          for (std::int64_t i = 0; i < count; ++i)
            to[i * row_stride + j * column_stride] = total[i * width + j];
        sum += count * width;
      }
  }

  const Conv2dGeometry& g_;
  TappedMap<T> source_;
  const T* dy_;
  std::int64_t filters_;
  bool along_filters_;
  Panels<T> panels_;                   // over what runs along vectors
  std::vector<std::int64_t> offsets_;  // of what is broadcast
  std::int64_t window_rows_ = 1, window_columns_ = 1;
};

template <class T>
void depthwise(const Conv2dGeometry& g, const T* x, const T* dy, T* dweight, Workspace& workspace) {
  const std::int64_t taps = g.r * g.s;
  T* const by_tap = workspace.take<T>(taps * g.k);
  depthwise_weight_gradient(g, Sharing::shared, x, dy, by_tap, workspace);
  for (std::int64_t k = 0; k < g.k; ++k)
    for (std::int64_t tap = 0; tap < taps; ++tap) dweight[k * taps + tap] = by_tap[tap * g.k + k];
}

template <class T>
void weight_gradient(const Conv2dGeometry& g, const T* x, const T* dy, T* dweight,
                     Workspace& workspace) {
  if (is_depthwise(g)) return depthwise(g, x, dy, dweight, workspace);
  if constexpr (std::is_same_v<T, float>)
    if (has_winograd(g)) {
      winograd_weight_gradient(g, x, dy, dweight, workspace);
      const auto finite = [](float d) { return std::isfinite(d); };
      if (std::all_of(dweight, dweight + g.k * g.r * g.s * (g.c / g.groups), finite)) return;
    }
  WeightGradient<T>(g, x, dy, workspace).run(dweight, workspace);
}

}  // namespace

constinit FloatingKernel<Conv2dWeightGradient> cpu::conv2d_weight_gradient{
    weight_gradient, weight_gradient, Widening::conv2d_weight_gradient<weight_gradient>};

}  // namespace pliant
