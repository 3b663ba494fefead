// Deformable convolution on the CPU: gradients. Per tile of locations, the columns' gradient
// dy * weight is made in cache and spread at once; with narrow groups that walk gathers the columns
// too, for the weight gradient. A task owns a block of channels of some images and walks their
// locations in order, so sums come in a fixed order.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/deform_spread.h>
#include <pliant/core/cpu/gemm.h>
#include <pliant/core/cpu/narrow_groups.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/core/kernels/widening.h>
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

  // Its groups as narrow ones, and the first of their weights.
  NarrowGroups narrow(const Conv2dGeometry& g) const {
    return {NarrowGroups(g), channels.size() / (g.c / g.groups)};
  }
  std::int64_t first_weight(const Conv2dGeometry& g) const {
    return first_group * (g.k / g.groups) * g.r * g.s * (g.c / g.groups);
  }
};

template <class T>
void multiply(const Conv2dGeometry& g, const Task<T>& task, std::int64_t rows, const T* dy,
              T* columns_gradient, T* scratch) {
  const std::int64_t out = g.k / g.groups;
  dy += task.first_group * out;
  if (has_narrow_groups(g)) {
    narrow_columns_gradient(task.narrow(g), rows, dy, g.k, task.arranged, columns_gradient,
                            scratch);
    return;
  }
  const std::int64_t depth = task.layout.block * task.layout.positions;
  for (std::size_t i = 0; i < task.packed.size(); ++i) {
    const auto block = static_cast<std::int64_t>(i);
    gemm(rows, dy + block * out, g.k, task.packed[i], columns_gradient + block * depth,
         task.layout.width());
  }
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

// The weights of each block of channels, as the block's products want them; a null weight is left
// out.
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
    if (weight != nullptr && has_narrow_groups(conv)) {
      T* const arranged = workspace.take<T>(task.narrow(conv).weights());
      arrange_narrow(task.narrow(conv), task.first_group, weight, arranged);
      task.arranged = arranged;
    } else if (weight != nullptr) {
      task.layout.block = std::min(own, in);
      for (std::int64_t b = 0; b < task.layout.blocks(); ++b)
        task.packed.push_back(pack_part(conv, weight, (task.first_group + b) * out, out, begin % in,
                                        task.layout.block, workspace));
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

// Rows of a tile of narrow groups, at most so many if that is a run of their weight gradient: whole
// runs, so that no bit depends on it.
std::int64_t whole_runs(std::int64_t most) {
  return most < NarrowGroups::kTile ? NarrowGroups::kRows : NarrowGroups::kTile;
}

// What one call writes; each may be null.
template <class T>
struct Outputs {
  T *dx, *doffset, *dmask, *dweight;
  bool wants_inputs() const { return dx != nullptr || doffset != nullptr || dmask != nullptr; }
};

// One thread's memory.
template <class T>
struct Scratch {
  T *columns_gradient, *columns;  // [tile][taps][channels]
  T* waste;                       // [c]
  T* narrow;                      // as narrow_groups.h wants
};

// The locations of one image. `weights` takes what narrow groups add to the weight gradient; may
// be null.
template <class T>
void run_image(const DeformSource<T>& source, const Task<T>& task, std::int64_t image,
               std::int64_t tile, const T* dy, const Scratch<T>& scratch, DeformGradients<T> to,
               double* weights) {
  const Conv2dGeometry& g = source.geometry.conv;
  const bool inputs = to.dx != nullptr || to.doffset != nullptr || to.dmask != nullptr;
  HeldSums<T> held = sums_in(g, image, task.channels, to.dx);
  to.held = &held;
  each_tile(image, source.locations(), task.channels, g.c, tile, [&](Range rows) {
    const T* const from = dy + rows.begin * g.k;
    if (inputs) multiply(g, task, rows.size(), from, scratch.columns_gradient, scratch.narrow);
    spread_columns(source, rows, task.channels, task.layout, scratch.columns_gradient, to);
    if (weights != nullptr)
      narrow_weight_gradient(task.narrow(g), rows.size(),
                             from + task.first_group * (g.k / g.groups), g.k, scratch.columns,
                             weights, scratch.narrow);
  });
  held.finish();
}

// All gradients by one walk; dweight only of narrow groups.
template <class T>
void walk(const DeformSource<T>& source, const T* weight, const T* dy, const Outputs<T>& out,
          Workspace& workspace) {
  const DeformGeometry& g = source.geometry;
  const Conv2dGeometry& conv = g.conv;
  const std::vector<Task<T>> blocks = prepare(g, out.wants_inputs() ? weight : nullptr, workspace);
  const std::int64_t count = static_cast<std::int64_t>(blocks.size());
  const std::int64_t shares = g.offset_groups == 1 ? count : 1;  // of an offset group
  const std::int64_t pairs = source.rows() * g.offset_groups * source.taps();
  const SharedSum<T> offsets(out.doffset, 2 * pairs, shares, workspace);
  const SharedSum<T> masks(out.dmask, pairs, shares, workspace);

  const bool weights = out.dweight != nullptr;
  const std::int64_t weights_size = conv.k * source.taps() * (conv.c / conv.groups);
  const std::int64_t images =
      weights ? (conv.n + kMostPartials - 1) / kMostPartials : 1;  // of a task
  const std::int64_t chunks = (conv.n + images - 1) / images;
  double* const partials = weights ? workspace.take<double>(chunks * weights_size) : nullptr;

  const bool narrow = has_narrow_groups(conv);
  const std::int64_t width = source.taps() * blocks[0].channels.size(), kinds = weights ? 2 : 1;
  const std::int64_t most = column_rows(kinds * width * static_cast<std::int64_t>(sizeof(T)));
  const std::int64_t tile = narrow ? whole_runs(most) : std::min(source.locations(), most);
  const PerThread<T> memory(
      kinds * tile * width + conv.c + (narrow ? NarrowGroups(conv).scratch_size() : 0), workspace);
  parallel_for(chunks * count, [&](std::int64_t index) {
    const std::int64_t chunk = index / count, block = index % count;
    const Task<T>& task = blocks[static_cast<std::size_t>(block)];
    T* const columns = memory.of();
    T* const waste = columns + kinds * tile * width;
    const Scratch<T> scratch{columns, columns + (kinds - 1) * tile * width, waste, waste + conv.c};
    std::fill_n(waste, conv.c, T(0));
    double* own = nullptr;
    if (weights) {
      own = partials + chunk * weights_size + task.first_weight(conv);
      std::fill_n(own, task.narrow(conv).weights(), 0.0);
    }
    const DeformGradients<T> to{out.dx,          nullptr, offsets.of(block),
                                masks.of(block), waste,   weights ? scratch.columns : nullptr};
    for (std::int64_t image = chunk * images; image < std::min(conv.n, (chunk + 1) * images);
         ++image)
      run_image(source, task, image, tile, dy, scratch, to, own);
  });
  offsets.add_up();
  masks.add_up();
  if (!weights) return;
  sum_partials(chunks, weights_size, partials, partials);
  for (const Task<T>& task : blocks)
    restore_narrow(task.narrow(conv), partials + task.first_weight(conv),
                   out.dweight + task.first_weight(conv));
}

template <class T>
void gradient(const DeformGeometry& g, const DeformConvGradientArgs<T>& args,
              Workspace& workspace) {
  const Outputs<T> out{args.dx, args.doffset, args.dmask, args.dweight};
  const DeformSource<T> source = source_of(g, args.x, args.offset, args.mask, workspace);
  if (source.rows() == 0) {
    if (out.dx != nullptr) std::fill_n(out.dx, g.conv.n * source.image_size(), T(0));
    if (out.dweight != nullptr)
      std::fill_n(out.dweight, g.conv.k * source.taps() * (g.conv.c / g.conv.groups), T(0));
    return;
  }
  if (has_narrow_groups(g.conv)) {
    walk(source, args.weight, args.dy, out, workspace);
    return;
  }
  if (out.wants_inputs()) {
    Workspace own(Device::cpu());  // given back before the weight gradient takes its own
    walk(source, args.weight, args.dy, {out.dx, out.doffset, out.dmask, nullptr}, own);
  }
  if (out.dweight != nullptr) add_up_columns(source, args.dy, out.dweight, workspace);
}

}  // namespace

constinit FloatingKernel<DeformConvGradient> cpu::deform_conv_gradient{
    gradient, gradient, Widening::deform_conv_gradient<gradient>};

}  // namespace pliant
