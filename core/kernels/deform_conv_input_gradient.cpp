// Deformable convolution on the CPU: gradients by x, offset and mask. Per tile of locations, the
// columns' gradient dy * weight is made in cache and spread at once. A task owns a block of
// channels of an image and walks its locations in order, so sums into dx come in a fixed order.
#include <algorithm>
#include <numeric>
#include <vector>

#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_conv.h>
#include <pliant/core/kernels/deform_conv_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// Width of the channel blocks. With few images, an image's channels are shared out to get tasks
// enough; blocks hold whole offset groups and whole weight groups where there are several.
std::int64_t block_channels(const DeformGeometry& g) {
  constexpr std::int64_t kTasks = 8, kNarrow = 32;
  const std::int64_t c = g.conv.c, wanted = (kTasks + g.conv.n - 1) / g.conv.n;
  const std::int64_t weight_unit = conv_form(g.conv) == ConvForm::grouped ? c / g.conv.groups : 1;
  std::int64_t unit = (kNarrow + weight_unit - 1) / weight_unit * weight_unit;
  if (g.offset_groups > 1) unit = std::lcm(c / g.offset_groups, weight_unit);
  const std::int64_t units = (c + unit - 1) / unit;
  return std::min(c, (units + wanted - 1) / wanted * unit);
}

template <class T>
struct Task {
  const DeformGeometry& geometry;
  Range channels;
  const T* weight;         // [k][taps][c/groups]; dense form: unused
  PackedMatrix<T> packed;  // dense form: [k][taps][channels]
  const T* by_tap;         // depthwise form: [taps][c]
};

// columns_gradient [rows][taps][channels] = dy [rows][k] times the weights of these channels.
template <class T>
void multiply(const Task<T>& task, std::int64_t rows, const T* dy, T* columns_gradient) {
  const Conv2dGeometry& g = task.geometry.conv;
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups, out = g.k / g.groups;
  const std::int64_t own = task.channels.size(), width = taps * own;
  switch (conv_form(g)) {
    case ConvForm::dense:
      gemm(rows, dy, g.k, task.packed, columns_gradient, width);
      return;
    case ConvForm::depthwise:
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const T* const w = task.by_tap + tap * g.c + task.channels.begin;
          const T* const from = dy + row * g.k + task.channels.begin;
          T* const to = columns_gradient + (row * taps + tap) * own;
          for (std::int64_t c = 0; c < own; ++c) to[c] = from[c] * w[c];
        }
      return;
    case ConvForm::grouped:
      for (std::int64_t group = task.channels.begin / in; group < task.channels.end / in; ++group)
        for (std::int64_t tap = 0; tap < taps; ++tap)
          gemm(rows, in, out, MatrixView<T>{dy + group * out, g.k},
               MatrixView<T>{task.weight + (group * out * taps + tap) * in, taps * in},
               columns_gradient + tap * own + (group * in - task.channels.begin), width);
  }
}

template <class T>
void spread(const DeformSource<T>& source, Range rows, Range channels, const T* columns_gradient,
            const DeformGradients<T>& to) {
  const bool dot = to.doffset != nullptr || to.dmask != nullptr;
  if (to.dx != nullptr && dot)
    spread_columns<true, true>(source, rows, channels, columns_gradient, to);
  else if (to.dx != nullptr)
    spread_columns<true, false>(source, rows, channels, columns_gradient, to);
  else
    spread_columns<false, true>(source, rows, channels, columns_gradient, to);
}

// The weights of each block of channels, as the block's product wants them.
template <class T>
std::vector<Task<T>> prepare(const DeformGeometry& g, const T* weight, Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  const std::int64_t taps = conv.r * conv.s, width = block_channels(g);
  const ConvForm form = conv_form(conv);
  T* const by_tap = form == ConvForm::depthwise ? workspace.take<T>(taps * conv.c) : nullptr;
  if (by_tap != nullptr)
    for (std::int64_t i = 0; i < taps * conv.c; ++i)
      by_tap[i % taps * conv.c + i / taps] = weight[i];
  std::vector<Task<T>> tasks;
  for (std::int64_t begin = 0; begin < conv.c; begin += width) {
    const Range channels{begin, std::min(conv.c, begin + width)};
    Task<T> task{g, channels, weight, {}, by_tap};
    if (form == ConvForm::dense) {
      const std::int64_t own = channels.size();
      const T* part = weight;
      if (own < conv.c) {  // [k][taps][own]
        T* const copy = workspace.take<T>(conv.k * taps * own);
        for (std::int64_t i = 0; i < conv.k * taps; ++i)
          std::copy_n(weight + i * conv.c + begin, own, copy + i * own);
        part = copy;
      }
      task.packed = pack(conv.k, taps * own, MatrixView<T>{part, taps * own},
                         workspace.take<T>(packed_size<T>(conv.k, taps * own)));
    }
    tasks.push_back(task);
  }
  return tasks;
}

// Sums of a channel block whose offset group other blocks share: they are added up at the end.
template <class T>
struct Partials {
  std::int64_t size = 0;  // of one block's
  T* data = nullptr;      // [blocks - 1][size]
  T* of(std::int64_t block, T* whole) const {
    return whole == nullptr || data == nullptr || block == 0 ? whole : data + (block - 1) * size;
  }
};

template <class T>
Partials<T> take_partials(bool shared, std::int64_t blocks, std::int64_t size, const T* whole,
                          Workspace& workspace) {
  if (!shared || whole == nullptr) return {};
  return {size, workspace.take<T>((blocks - 1) * size)};
}

template <class T>
void add_up(const Partials<T>& partials, std::int64_t blocks, T* whole) {
  if (partials.data == nullptr) return;
  parallel_blocks(partials.size, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = 1; block < blocks; ++block)
      for (std::int64_t i = begin; i < end; ++i) whole[i] += partials.of(block, whole)[i];
  });
}

template <class T>
void input_gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                    const T* weight, const T* dy, T* dx, T* doffset, T* dmask,
                    Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  if (conv.n == 0 || (dx == nullptr && doffset == nullptr && dmask == nullptr)) return;
  T* const zeros = workspace.take<T>(conv.c);
  std::fill_n(zeros, conv.c, T(0));
  const DeformSource<T> source{g, x, offset, mask, zeros};
  const std::vector<Task<T>> blocks = prepare(g, weight, workspace);
  const std::int64_t count = static_cast<std::int64_t>(blocks.size());
  const bool shared = count > 1 && g.offset_groups == 1;
  const std::int64_t pairs = source.rows() * g.offset_groups * source.taps();
  const Partials<T> offsets = take_partials(shared, count, 2 * pairs, doffset, workspace);
  const Partials<T> masks = take_partials(shared, count, pairs, dmask, workspace);

  const std::int64_t width = source.taps() * blocks[0].channels.size();
  const std::int64_t tile = deform_tile_rows(width * static_cast<std::int64_t>(sizeof(T)));
  const std::int64_t own = tile * width + conv.c;
  T* const scratch = workspace.take<T>(thread_count() * own);
  parallel_for(conv.n * count, [&](std::int64_t index) {
    const std::int64_t image = index / count, block = index % count;
    const Task<T>& task = blocks[static_cast<std::size_t>(block)];
    T* const columns_gradient = scratch + thread_index() * own;  // [tile][taps][channels]
    T* const waste = columns_gradient + tile * width;
    std::fill_n(waste, conv.c, T(0));
    if (dx != nullptr)
      for (std::int64_t pixel = image * conv.h * conv.w; pixel < (image + 1) * conv.h * conv.w;
           ++pixel)
        std::fill_n(dx + pixel * conv.c + task.channels.begin, task.channels.size(), T(0));
    const std::int64_t last = (image + 1) * source.locations();
    for (std::int64_t row = image * source.locations(); row < last; row += tile) {
      const Range rows{row, std::min(last, row + tile)};
      multiply(task, rows.size(), dy + row * conv.k, columns_gradient);
      spread(source, rows, task.channels, columns_gradient,
             {dx, offsets.of(block, doffset), masks.of(block, dmask), waste});
    }
  });
  add_up(offsets, count, doffset);
  add_up(masks, count, dmask);
}

}  // namespace

void cpu::deform_conv_input_gradient(const DeformGeometry& g, const float* x, const float* offset,
                                     const float* mask, const float* weight, const float* dy,
                                     float* dx, float* doffset, float* dmask,
                                     Workspace& workspace) {
  input_gradient(g, x, offset, mask, weight, dy, dx, doffset, dmask, workspace);
}

void cpu::deform_conv_input_gradient(const DeformGeometry& g, const double* x, const double* offset,
                                     const double* mask, const double* weight, const double* dy,
                                     double* dx, double* doffset, double* dmask,
                                     Workspace& workspace) {
  input_gradient(g, x, offset, mask, weight, dy, dx, doffset, dmask, workspace);
}

}  // namespace pliant
