// Deformable convolution on the CPU: gradients by x, offset and mask. Per tile of locations, the
// columns' gradient dy * weight is made in cache and spread at once. A task owns a block of
// channels of an image and walks its locations in order, so sums into dx come in a fixed order.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_conv.h>
#include <pliant/core/kernels/deform_conv_walk.h>
#include <pliant/core/kernels/narrow_groups.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// Width of the channel blocks. With few images, an image's channels are shared out to get tasks
// enough; blocks hold whole offset groups and whole weight groups where there are several.
std::int64_t block_channels(const DeformGeometry& g) {
  constexpr std::int64_t kTasks = 8, kNarrow = 32;
  const std::int64_t c = g.conv.c, wanted = (kTasks + g.conv.n - 1) / g.conv.n;
  const std::int64_t weight_unit = g.conv.groups > 1 ? c / g.conv.groups : 1;
  std::int64_t unit = (kNarrow + weight_unit - 1) / weight_unit * weight_unit;
  if (g.offset_groups > 1) unit = std::lcm(c / g.offset_groups, weight_unit);
  const std::int64_t units = (c + unit - 1) / unit;
  return std::min(c, (units + wanted - 1) / wanted * unit);
}

// A block of channels and its weights as its products want them.
template <class T>
struct Task {
  Range channels;
  ColumnLayout layout;
  std::int64_t first_group;
  std::vector<PackedMatrix<T>> packed;  // of each group: [out][taps][block]
  const T* arranged;                    // narrow groups instead
};

template <class T>
void multiply(const Conv2dGeometry& g, const Task<T>& task, std::int64_t rows, const T* dy,
              T* columns_gradient, T* scratch) {
  const std::int64_t out = g.k / g.groups;
  dy += task.first_group * out;
  if (has_narrow_groups(g)) {
    const NarrowGroups part(NarrowGroups(g), task.channels.size() / (g.c / g.groups));
    narrow_columns_gradient(part, rows, dy, g.k, task.arranged, columns_gradient, scratch);
    return;
  }
  const std::int64_t depth = task.layout.block * task.layout.positions;
  for (std::size_t i = 0; i < task.packed.size(); ++i) {
    const auto block = static_cast<std::int64_t>(i);
    gemm(rows, dy + block * out, g.k, task.packed[i], columns_gradient + block * depth,
         task.layout.width());
  }
}

template <class T>
void spread(const DeformSource<T>& source, Range rows, const Task<T>& task,
            const T* columns_gradient, const DeformGradients<T>& to) {
  const bool dot = to.doffset != nullptr || to.dmask != nullptr;
  const auto run = [&]<bool kScatter, bool kDot>() {
    spread_columns<kScatter, kDot>(source, rows, task.channels, task.layout, columns_gradient, to);
  };
  if (to.dx != nullptr && dot)
    run.template operator()<true, true>();
  else if (to.dx != nullptr)
    run.template operator()<true, false>();
  else
    run.template operator()<false, true>();
}

// Weights of `count` filters from `first` on, of channels begin .. begin + own - 1 of their group:
// [count][taps][own].
template <class T>
PackedMatrix<T> pack_part(const Conv2dGeometry& g, const T* weight, std::int64_t first,
                          std::int64_t count, std::int64_t begin, std::int64_t own,
                          Workspace& workspace) {
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups;
  const T* part = weight + first * taps * in;
  if (own < in) {
    T* const copy = workspace.take<T>(count * taps * own);
    for (std::int64_t i = 0; i < count * taps; ++i)
      std::copy_n(part + i * in + begin, own, copy + i * own);
    part = copy;
  }
  return pack(count, taps * own, MatrixView<T>{part, taps * own},
              workspace.take<T>(packed_size<T>(count, taps * own)));
}

// The weights of each block of channels, as the block's products want them.
template <class T>
std::vector<Task<T>> prepare(const DeformGeometry& g, const T* weight, Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  const std::int64_t taps = conv.r * conv.s, width = block_channels(g);
  const std::int64_t in = conv.c / conv.groups, out = conv.k / conv.groups;
  std::vector<Task<T>> tasks;
  for (std::int64_t begin = 0; begin < conv.c; begin += width) {
    const Range channels{begin, std::min(conv.c, begin + width)};
    const std::int64_t own = channels.size();
    Task<T> task{channels, {own, own, taps}, begin / in, {}, nullptr};
    if (has_narrow_groups(conv)) {
      const NarrowGroups part(NarrowGroups(conv), own / in);
      T* const arranged = workspace.take<T>(part.weights());
      arrange_narrow(part, task.first_group, weight, arranged);
      task.arranged = arranged;
    } else {
      task.layout.block = std::min(own, in);
      for (std::int64_t b = 0; b < task.layout.blocks(); ++b)
        task.packed.push_back(pack_part(conv, weight, (task.first_group + b) * out, out, begin % in,
                                        task.layout.block, workspace));
    }
    tasks.push_back(std::move(task));
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
  const bool narrow = has_narrow_groups(conv);
  const std::int64_t tile = std::min(narrow ? NarrowGroups::kTile : source.locations(),
                                     column_rows(width * static_cast<std::int64_t>(sizeof(T))));
  const std::int64_t more = narrow ? NarrowGroups(conv).scratch_size() : 0;
  const std::int64_t own = tile * width + conv.c + more;
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
      multiply(conv, task, rows.size(), dy + row * conv.k, columns_gradient, waste + conv.c);
      spread(source, rows, task, columns_gradient,
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
