// Deformable convolution on the CPU: forward, and the weight gradient by matrix products. Samples
// are gathered into columns tile by tile, in cache; a product with the weights follows at once.
#include <pliant/core/kernels/deform_conv2d.h>

#include <algorithm>
#include <vector>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/gemm.h>
#include <pliant/core/cpu/narrow_groups.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// One product a group.
ColumnLayout layout_of(const Conv2dGeometry& g, std::int64_t taps) {
  return {g.c, g.c / g.groups, taps};
}

// Forward by matrix products.
template <class T>
void forward_groups(const DeformSource<T>& source, const T* weight, const T* bias, T* y,
                    Workspace& workspace) {
  const Conv2dGeometry& g = source.geometry.conv;
  const ColumnLayout layout = layout_of(g, source.taps());
  const std::int64_t out = g.k / g.groups, depth = layout.block * layout.positions;
  std::vector<PackedMatrix<T>> packed;
  for (std::int64_t group = 0; group < g.groups; ++group)
    packed.push_back(pack(depth, out,
                          MatrixView<T>{weight + group * out * depth, depth, Transpose::yes},
                          workspace.take<T>(packed_size<T>(depth, out))));
  const std::int64_t width = layout.width();
  const std::int64_t tile =
      forward_tile_rows(source.rows(), width * static_cast<std::int64_t>(sizeof(T)));
  T* const scratch = workspace.take<T>(thread_count() * tile * width);
  parallel_blocks(source.rows(), tile, [&](std::int64_t begin, std::int64_t end) {
    T* const columns = scratch + thread_index() * tile * width;
    gather_columns(source, {begin, end}, {0, source.taps()}, layout, columns);
    for (std::int64_t group = 0; group < g.groups; ++group)
      gemm(end - begin, columns + group * depth, width, packed[static_cast<std::size_t>(group)],
           y + begin * g.k + group * out, g.k, bias == nullptr ? nullptr : bias + group * out);
  });
}

template <class T>
void forward_narrow(const DeformSource<T>& source, const T* weight, const T* bias, T* y,
                    Workspace& workspace) {
  const NarrowGroups groups(source.geometry.conv);
  const std::int64_t channels = groups.channels();
  const ColumnLayout layout{channels, channels, source.taps()};  // one pass over all channels
  T* const arranged = workspace.take<T>(groups.weights());
  arrange_narrow(groups, 0, weight, arranged);
  const std::int64_t tile = std::min(
      NarrowGroups::kTile, column_rows(layout.width() * static_cast<std::int64_t>(sizeof(T))));
  const std::int64_t own = tile * layout.width() + groups.scratch_size();
  T* const scratch = workspace.take<T>(thread_count() * own);
  parallel_blocks(source.rows(), 16 * tile, [&](std::int64_t begin, std::int64_t end) {
    T* const columns = scratch + thread_index() * own;
    for (std::int64_t row = begin; row < end; row += tile) {
      const Range rows{row, std::min(end, row + tile)};
      gather_columns(source, rows, {0, source.taps()}, layout, columns);
      narrow_forward(groups, rows.size(), columns, arranged, bias, y + row * groups.outputs(),
                     columns + tile * layout.width());
    }
  });
}

template <class T>
void forward(const DeformGeometry& g, const DeformConvForwardArgs<T>& args, Workspace& workspace) {
  const DeformSource<T> source = source_of(g, args.x, args.offset, args.mask, workspace);
  if (source.rows() == 0) return;
  if (has_narrow_groups(g.conv))
    forward_narrow(source, args.weight, args.bias, args.y, workspace);
  else
    forward_groups(source, args.weight, args.bias, args.y, workspace);
}

// How a weight gradient is cut: task (chunk, stripe) sums the rows of its chunk, in order, into the
// taps of its stripe, which no other task of that chunk touches.
struct GradientCut {
  std::int64_t tile, chunk_rows, chunks, stripe_taps, stripes;
};

template <class T>
GradientCut cut_gradient(const Conv2dGeometry& g) {
  constexpr std::int64_t kUnit = 128, kStripe = 1 << 17, kTasks = 32;
  const std::int64_t taps = g.r * g.s, rows = g.n * g.p * g.q;
  const auto count = [](std::int64_t size, std::int64_t part) { return (size + part - 1) / part; };
  GradientCut cut{};
  cut.stripe_taps = std::clamp<std::int64_t>(kStripe / (g.k * (g.c / g.groups)), 1, taps);
  cut.stripes = count(taps, cut.stripe_taps);
  const std::int64_t units = count(rows, kUnit);
  const std::int64_t wanted = std::min({count(kTasks, cut.stripes), kMostPartials, units});
  cut.chunk_rows = count(units, wanted) * kUnit;
  cut.chunks = count(rows, cut.chunk_rows);

  // Neither of these changes in which order anything is summed.
  const auto row_bytes = [&] {
    return cut.stripe_taps * g.c * static_cast<std::int64_t>(sizeof(T));
  };
  while (cut.stripe_taps > 1 && column_rows(row_bytes()) < 64) --cut.stripe_taps;
  cut.stripes = count(taps, cut.stripe_taps);
  cut.tile = gradient_tile_rows(row_bytes());
  return cut;
}

// A weight gradient's partial sums are laid out as the products want them.
template <class T>
void add_weight_gradient(const Conv2dGeometry& g, std::int64_t rows, Range stripe, const T* dy,
                         const T* columns, T* to) {
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups, out = g.k / g.groups;
  const std::int64_t depth = stripe.size() * in;
  for (std::int64_t group = 0; group < g.groups; ++group)
    gemm_transposed(out, depth, rows, dy + group * out, g.k, columns + group * depth,
                    stripe.size() * g.c, to + (group * out * taps + stripe.begin) * in, taps * in);
}

}  // namespace

template <class T>
void cpu::add_up_columns(const DeformSource<T>& source, const T* dy, T* dweight,
                         Workspace& workspace) {
  const Conv2dGeometry& conv = source.geometry.conv;
  const std::int64_t taps = source.taps(), size = conv.k * taps * (conv.c / conv.groups);
  const GradientCut cut = cut_gradient<T>(conv);
  T* const partials = workspace.take<T>(cut.chunks * size);
  const std::int64_t tile_size = cut.tile * cut.stripe_taps * conv.c;
  T* const scratch = workspace.take<T>(thread_count() * tile_size);
  parallel_blocks(cut.chunks * size, std::int64_t{1} << 16,
                  [&](std::int64_t begin, std::int64_t end) {
                    std::fill(partials + begin, partials + end, T(0));
                  });
  parallel_for(cut.chunks * cut.stripes, [&](std::int64_t task) {
    const std::int64_t chunk = task / cut.stripes, stripe = task % cut.stripes;
    const Range own{stripe * cut.stripe_taps, std::min(taps, (stripe + 1) * cut.stripe_taps)};
    const std::int64_t last = std::min(source.rows(), (chunk + 1) * cut.chunk_rows);
    T* const columns = scratch + thread_index() * tile_size;
    for (std::int64_t row = chunk * cut.chunk_rows; row < last; row += cut.tile) {
      const Range rows{row, std::min(last, row + cut.tile)};
      gather_columns(source, rows, own, layout_of(conv, own.size()), columns);
      add_weight_gradient(conv, rows.size(), own, dy + row * conv.k, columns,
                          partials + chunk * size);
    }
  });
  sum_partials(cut.chunks, size, partials, dweight);
}

template void cpu::add_up_columns(const DeformSource<float>&, const float*, float*, Workspace&);
template void cpu::add_up_columns(const DeformSource<double>&, const double*, double*, Workspace&);

constinit FloatingKernel<DeformConvForward> cpu::deform_conv_forward{
    forward, forward, Widening::deform_conv_forward<forward>};

}  // namespace pliant
