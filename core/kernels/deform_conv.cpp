// Deformable convolution on the CPU: forward and weight gradient. Samples are gathered into columns
// tile by tile, in cache; a product with the weights follows at once.
#include <pliant/core/kernels/deform_conv.h>

#include <algorithm>
#include <vector>

#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_conv_walk.h>
#include <pliant/core/kernels/narrow_groups.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kMaxPartials = 16;

template <class T>
DeformSource<T> source_of(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                          Workspace& workspace) {
  T* const zeros = workspace.take<T>(g.conv.c);
  std::fill_n(zeros, g.conv.c, T(0));
  return {g, x, offset, mask, zeros};
}

// One product a group, or one pass over all channels.
ColumnLayout layout_of(const Conv2dGeometry& g, std::int64_t taps) {
  return {g.c, has_narrow_groups(g) ? g.c : g.c / g.groups, taps};
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
      std::min(source.rows(), column_rows(width * static_cast<std::int64_t>(sizeof(T))));
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
  const ColumnLayout layout = layout_of(source.geometry.conv, source.taps());
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
void forward(const DeformGeometry& g, const T* x, const T* offset, const T* mask, const T* weight,
             const T* bias, T* y, Workspace& workspace) {
  const DeformSource<T> source = source_of(g, x, offset, mask, workspace);
  if (source.rows() == 0) return;
  if (has_narrow_groups(g.conv))
    forward_narrow(source, weight, bias, y, workspace);
  else
    forward_groups(source, weight, bias, y, workspace);
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
  const std::int64_t wanted = std::min({count(kTasks, cut.stripes), kMaxPartials, units});
  cut.chunk_rows = count(units, wanted) * kUnit;
  cut.chunks = count(rows, cut.chunk_rows);

  // Neither of these changes in which order anything is summed.
  const auto row_bytes = [&] {
    return cut.stripe_taps * g.c * static_cast<std::int64_t>(sizeof(T));
  };
  while (cut.stripe_taps > 1 && column_rows(row_bytes()) < 64) --cut.stripe_taps;
  cut.stripes = count(taps, cut.stripe_taps);
  cut.tile = has_narrow_groups(g) ? std::min(NarrowGroups::kTile, column_rows(row_bytes()))
                                  : gradient_tile_rows(row_bytes());
  return cut;
}

// A weight gradient's partial sums are laid out as the products want them.
template <class T>
void add_weight_gradient(const Conv2dGeometry& g, std::int64_t rows, Range stripe, const T* dy,
                         const T* columns, T* to, T* scratch) {
  if (has_narrow_groups(g)) {
    narrow_weight_gradient(NarrowGroups(g), rows, dy, columns, stripe.begin, stripe.size(), to,
                           scratch);
    return;
  }
  const std::int64_t taps = g.r * g.s, in = g.c / g.groups, out = g.k / g.groups;
  const std::int64_t depth = stripe.size() * in;
  for (std::int64_t group = 0; group < g.groups; ++group)
    gemm_transposed(out, depth, rows, dy + group * out, g.k, columns + group * depth,
                    stripe.size() * g.c, to + (group * out * taps + stripe.begin) * in, taps * in);
}

template <class T>
void weight_gradient(const DeformGeometry& g, const T* x, const T* offset, const T* mask,
                     const T* dy, T* dweight, Workspace& workspace) {
  const Conv2dGeometry& conv = g.conv;
  const DeformSource<T> source = source_of(g, x, offset, mask, workspace);
  const std::int64_t taps = source.taps(), size = conv.k * taps * (conv.c / conv.groups);
  if (source.rows() == 0) {
    std::fill_n(dweight, size, T(0));
    return;
  }
  const GradientCut cut = cut_gradient<T>(conv);
  T* const partials = workspace.take<T>(cut.chunks * size);
  const std::int64_t tile_size = cut.tile * cut.stripe_taps * conv.c;
  const bool narrow = has_narrow_groups(conv);
  const std::int64_t own_size = tile_size + (narrow ? NarrowGroups(conv).scratch_size() : 0);
  T* const scratch = workspace.take<T>(thread_count() * own_size);
  parallel_blocks(cut.chunks * size, std::int64_t{1} << 16,
                  [&](std::int64_t begin, std::int64_t end) {
                    std::fill(partials + begin, partials + end, T(0));
                  });
  parallel_for(cut.chunks * cut.stripes, [&](std::int64_t task) {
    const std::int64_t chunk = task / cut.stripes, stripe = task % cut.stripes;
    const Range own{stripe * cut.stripe_taps, std::min(taps, (stripe + 1) * cut.stripe_taps)};
    const std::int64_t last = std::min(source.rows(), (chunk + 1) * cut.chunk_rows);
    T* const columns = scratch + thread_index() * own_size;
    for (std::int64_t row = chunk * cut.chunk_rows; row < last; row += cut.tile) {
      const Range rows{row, std::min(last, row + cut.tile)};
      gather_columns(source, rows, own, layout_of(conv, own.size()), columns);
      add_weight_gradient(conv, rows.size(), own, dy + row * conv.k, columns,
                          partials + chunk * size, columns + tile_size);
    }
  });
  T* const total = narrow ? partials : dweight;
  parallel_blocks(size, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      T sum = partials[i];
      for (std::int64_t chunk = 1; chunk < cut.chunks; ++chunk) sum += partials[chunk * size + i];
      total[i] = sum;
    }
  });
  if (narrow) restore_narrow(NarrowGroups(conv), total, dweight);
}

}  // namespace

void cpu::deform_conv_forward(const DeformGeometry& g, const float* x, const float* offset,
                              const float* mask, const float* weight, const float* bias, float* y,
                              Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cpu::deform_conv_forward(const DeformGeometry& g, const double* x, const double* offset,
                              const double* mask, const double* weight, const double* bias,
                              double* y, Workspace& workspace) {
  forward(g, x, offset, mask, weight, bias, y, workspace);
}

void cpu::deform_conv_weight_gradient(const DeformGeometry& g, const float* x, const float* offset,
                                      const float* mask, const float* dy, float* dweight,
                                      Workspace& workspace) {
  weight_gradient(g, x, offset, mask, dy, dweight, workspace);
}

void cpu::deform_conv_weight_gradient(const DeformGeometry& g, const double* x,
                                      const double* offset, const double* mask, const double* dy,
                                      double* dweight, Workspace& workspace) {
  weight_gradient(g, x, offset, mask, dy, dweight, workspace);
}

}  // namespace pliant
