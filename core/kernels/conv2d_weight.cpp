// Weight gradient of conv2d: for every tap a product of two maps summed over locations. Both are
// read in place, location by location; a task owns a block of the gradient and walks its locations
// in order, so that no bit depends on the threads.
#include <algorithm>
#include <vector>

#include <pliant/core/gemm_tiles.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/kernels/conv2d_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kBlockArea = 4 * kTileRows * kMaxPanelWidth;  // of a task's block of dW
constexpr std::int64_t kTasksWanted = 32;
constexpr std::int64_t kMaxParts = 16;  // partial sums, where the blocks alone are too few tasks

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Which of input channels and filters runs along vectors (the other is broadcast): that which
// wastes less of the last vector, and of equals the longer.
template <class T>
bool vectors_along_filters(std::int64_t channels, std::int64_t filters) {
  const std::int64_t along_filters = channels * Panels<T>(filters).width();
  const std::int64_t along_channels = filters * Panels<T>(channels).width();
  return along_filters != along_channels ? along_filters < along_channels : filters >= channels;
}

template <class T>
class WeightGradient {
 public:
  WeightGradient(const Conv2dGeometry& g, const T* x, const T* dy, Workspace& workspace)
      : g_(g),
        source_(tapped_input(g, x, workspace)),
        dy_(dy),
        filters_(g.k / g.groups),
        along_filters_(vectors_along_filters<T>(source_.depth, filters_)),
        rows_(along_filters_ ? source_.depth : filters_),
        panels_(along_filters_ ? filters_ : source_.depth),
        row_blocks_(ceil_divide(rows_, kBlockArea / std::max<std::int64_t>(widest_panel(), 1))),
        taps_(static_cast<std::int64_t>(source_.taps.size())) {}

  void run(T* dweight, Workspace& workspace) const {
    // Patches need dY in whole vectors; it is only read in place.
    if (source_.inside && panels_of_filters_are_whole()) return run_patches(dweight, workspace);
    const std::int64_t size = g_.k * taps_ * source_.depth;
    const std::int64_t blocks = g_.groups * taps_ * panels_.count() * row_blocks_;
    if (blocks == 0) return;
    const std::int64_t lines = g_.n * g_.p;  // rows of dY: what the parts share out
    const std::int64_t parts = std::clamp<std::int64_t>(
        ceil_divide(kTasksWanted, blocks), 1, std::clamp<std::int64_t>(lines, 1, kMaxParts));
    T* const partial = parts == 1 ? dweight : workspace.take<T>(parts * size);
    parallel_for(parts * blocks, [&](std::int64_t task) {
      const std::int64_t part = task / blocks;
      run_block(task % blocks, lines * part / parts, lines * (part + 1) / parts,
                partial + part * size);
    });
    if (parts == 1) return;
    parallel_blocks(size, 4096, [&](std::int64_t first, std::int64_t last) {
      std::copy(partial + first, partial + last, dweight + first);
      for (std::int64_t part = 1; part < parts; ++part)
        for (std::int64_t i = first; i < last; ++i) dweight[i] += partial[part * size + i];
    });
  }

 private:
  struct Block {
    std::int64_t group, tap, first_row, rows;
    Panel panel;
  };

  std::int64_t widest_panel() const { return panels_.count() == 0 ? 0 : panels_[0].width; }

  bool panels_of_filters_are_whole() const { return along_filters_ && filters_ == panels_.width(); }

  Block block(std::int64_t index) const {
    const std::int64_t row_block = index % row_blocks_;
    index /= row_blocks_;
    const Panel panel = panels_[index % panels_.count()];
    index /= panels_.count();
    const std::int64_t first = rows_ * row_block / row_blocks_;
    return {index / taps_, index % taps_, first, rows_ * (row_block + 1) / row_blocks_ - first,
            panel};
  }

  // One block of the gradient, summed over lines [first, last) of dY.
  void run_block(std::int64_t index, std::int64_t first, std::int64_t last, T* dweight) const {
    const Block b = block(index);
    alignas(kAlignment) T sum[kBlockArea];
    std::fill_n(sum, b.rows * b.panel.width, T(0));
    Entries<T> entries;
    const auto flush = [&] {
      gemm_block(entries, b.first_row, b.rows, b.panel, sum, b.panel.width);
      entries.count = 0;
    };
    const Tap tap = source_.taps[static_cast<std::size_t>(b.tap)];
    // Columns of dY whose tap lies inside the source.
    const std::int64_t begin =
        std::min(g_.q, ceil_divide(std::max<std::int64_t>(-tap.column, 0), source_.step_w));
    const std::int64_t end = std::min(
        g_.q, ceil_divide(std::max<std::int64_t>(source_.w - tap.column, 0), source_.step_w));
    for (std::int64_t line = first; line < last; ++line) {
      const std::int64_t row = line % g_.p * source_.step_h + tap.row;
      if (row < 0 || row >= source_.h) continue;
      const T* const x = source_.data + b.group * source_.depth +
                         line / g_.p * source_.stride.image + row * source_.stride.row +
                         tap.column * source_.stride.pixel;
      const T* const dy = dy_ + line * g_.q * g_.k + b.group * filters_;
      for (std::int64_t q = begin; q < end; ++q) {
        const T* const from = x + q * source_.step_w * source_.stride.pixel;
        entries.a[entries.count] = along_filters_ ? from : dy + q * g_.k;
        entries.b[entries.count] = along_filters_ ? dy + q * g_.k : from;
        if (++entries.count == kBlockEntries) flush();
      }
    }
    flush();
    store(b, sum, dweight);
  }

  // Where few channels leave the taps of a patch together shorter than a tile, they are all
  // broadcast beside one read of dY: one offset per (tap, channel) of the padded input.
  void run_patches(T* dweight, Workspace& workspace) const {
    std::vector<std::int64_t> offsets;
    for (const Tap& tap : source_.taps)
      for (std::int64_t d = 0; d < source_.depth; ++d)
        offsets.push_back(tap.row * source_.stride.row + tap.column * source_.stride.pixel + d);
    const auto length = static_cast<std::int64_t>(offsets.size());
    const std::int64_t lines = g_.n * g_.p;
    const std::int64_t parts = std::clamp<std::int64_t>(lines, 1, kMaxParts);
    const std::int64_t size = length * filters_;
    T* const partial = workspace.take<T>(parts * size);
    std::fill_n(partial, parts * size, T(0));
    parallel_for(parts * panels_.count(), [&](std::int64_t task) {
      const std::int64_t part = task / panels_.count();
      const Panel panel = panels_[task % panels_.count()];
      // Columns of a panel lie together: [length, panel.width].
      T* const sum = partial + part * size + panel.first * length;
      run_patch_lines(offsets, panel, lines * part / parts, lines * (part + 1) / parts, sum);
    });
    parallel_for(panels_.count(), [&](std::int64_t p) {
      const Panel panel = panels_[p];
      for (std::int64_t j = 0; j < panel.columns; ++j)
        for (std::int64_t i = 0; i < length; ++i) {
          T sum = 0;
          for (std::int64_t part = 0; part < parts; ++part)
            sum += partial[part * size + panel.first * length + i * panel.width + j];
          dweight[(panel.first + j) * length + i] = sum;
        }
    });
  }

  // Adds lines [first, last) of dY, image by image, to sum [offsets, panel.width].
  void run_patch_lines(const std::vector<std::int64_t>& offsets, const Panel& panel,
                       std::int64_t first, std::int64_t last, T* sum) const {
    const auto length = static_cast<std::int64_t>(offsets.size());
    const std::int64_t tiles = ceil_divide(length, max_patch_rows<T>(panel.width));
    while (first < last) {
      const std::int64_t image = first / g_.p, row = first % g_.p;
      const std::int64_t lines = std::min(last - first, g_.p - row);
      const Lattice<T> x{
          source_.data + image * source_.stride.image + row * source_.step_h * source_.stride.row,
          source_.step_h * source_.stride.row, source_.step_w * source_.stride.pixel};
      const Lattice<T> dy{dy_ + first * g_.q * g_.k, g_.q * g_.k, g_.k};
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const std::int64_t begin = length * tile / tiles, end = length * (tile + 1) / tiles;
        gemm_patch(x, dy, lines, g_.q, offsets.data() + begin, end - begin, panel,
                   sum + begin * panel.width);
      }
      first += lines;
    }
  }

  void store(const Block& b, const T* sum, T* dweight) const {
    const std::int64_t filter_stride = taps_ * source_.depth;
    T* const to = dweight + b.group * filters_ * filter_stride + b.tap * source_.depth;
    const std::int64_t row_stride = along_filters_ ? 1 : filter_stride;
    const std::int64_t column_stride = along_filters_ ? filter_stride : 1;
    for (std::int64_t j = 0; j < b.panel.columns; ++j)
      for (std::int64_t i = 0; i < b.rows; ++i)
        to[(b.first_row + i) * row_stride + (b.panel.first + j) * column_stride] =
            sum[i * b.panel.width + j];
  }

  const Conv2dGeometry& g_;
  TappedMap<T> source_;
  const T* dy_;
  std::int64_t filters_;
  bool along_filters_;
  std::int64_t rows_;  // of the whole product: what is broadcast
  Panels<T> panels_;   // over what runs along vectors
  std::int64_t row_blocks_, taps_;
};

}  // namespace

void cpu::conv2d_weight_gradient(const Conv2dGeometry& g, const float* x, const float* dy,
                                 float* dweight, Workspace& workspace) {
  WeightGradient<float>(g, x, dy, workspace).run(dweight, workspace);
}

void cpu::conv2d_weight_gradient(const Conv2dGeometry& g, const double* x, const double* dy,
                                 double* dweight, Workspace& workspace) {
  WeightGradient<double>(g, x, dy, workspace).run(dweight, workspace);
}

}  // namespace pliant
