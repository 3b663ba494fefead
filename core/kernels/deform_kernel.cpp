// Deformable kernels on the CPU: forward, and the weight gradient by matrix products. With one
// channel per group, the kernel of a location is made channel by channel; else the samples are
// spread over the scope and one product with the stored weights follows.
#include <pliant/core/kernels/deform_kernel.h>

#include <algorithm>
#include <vector>

#include <pliant/core/column_memory.h>
#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_kernel_walk.h>
#include <pliant/core/kernels/held_sums_walk.h>
#include <pliant/core/kernels/partial_sums_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// All channels; the columns of a weight group are one block.
ColumnLayout whole_layout(const DeformKernelGeometry& g) {
  const std::int64_t block =
      conv_form(g.conv) == ConvForm::grouped ? g.conv.c / g.conv.groups : g.conv.c;
  return {g.conv.c, block, g.scope_h * g.scope_w};
}

// columns [rows][blocks][positions][block]: every sample, shared out over the scope positions that
// its tap reads.
template <class T>
void fill_columns(const DeformKernelSource<T>& source, Range rows, const T* samples,
                  const ColumnLayout& layout, T* columns, T* waste) {
  const TapValues<T> values(source, rows, samples);
  std::fill_n(columns, rows.size() * layout.width(), T(0));
  for_each_rotated_tap(
      source, rows,
      [&](std::int64_t row, std::int64_t group, std::int64_t t, const BilinearTap<T>& tap) {
        if (reads_nothing(tap)) return;
        const T* const value = values(row, t);
        T* const to = columns + (row - rows.begin) * layout.width();
        const T* const none[4] = {};
        T dots[4];
        for (std::int64_t b = 0; b < layout.blocks(); ++b) {
          const std::int64_t first = b * layout.block;
          const Stretch own = rotated_channels({first, first + layout.block}, group,
                                               source.geometry.rotation_groups);
          const std::int64_t begin = first * layout.positions + (own.first - first);
          const FourRows<T> four(tap, to + begin, layout.block, waste);
          spread_stretch<true, false>(value + own.first, none, four.row, tap.weight, own, dots);
        }
      });
}

template <class T>
void write_bias(Range rows, std::int64_t k, const T* bias, T* y) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    if (bias == nullptr)
      std::fill_n(y + row * k, k, T(0));
    else
      std::copy_n(bias, k, y + row * k);
}

template <class T>
void forward_depthwise(const DeformKernelSource<T>& source, const T* by_position, const T* bias,
                       std::int64_t tile, const PerThread<T>& scratch, T* y) {
  const std::int64_t c = source.geometry.conv.c;
  parallel_blocks(source.rows(), tile, [&](std::int64_t begin, std::int64_t end) {
    const Range rows{begin, end};
    T* const kernel = scratch.of();
    const TapValues<T> values(source, rows, gather_samples(source, rows, kernel + c));
    write_bias(rows, c, bias, y);
    HeldSums<T> held(y + begin * c, rows.size(), c, c);
    for_each_rotated_tap(
        source, rows,
        [&](std::int64_t row, std::int64_t group, std::int64_t t, const BilinearTap<T>& tap) {
          if (reads_nothing(tap)) return;
          held.count(row - begin);
          const Stretch own = rotated_channels({0, c}, group, source.geometry.rotation_groups);
          const FourRows<const T> four(tap, by_position + own.first, c, source.zeros);
          blend_stretch(four.row, tap.weight, own, kernel);
          const T* const value = values(row, t) + own.first;
          T* const to = y + row * c + own.first;
          for (std::int64_t i = 0, at = 0; i < own.count; ++i, at += own.step)
            to[at] += kernel[at] * value[at];
        });
    held.finish();
  });
}

template <class T>
void forward_blocks(const DeformKernelSource<T>& source, const ColumnLayout& layout,
                    const std::vector<PackedMatrix<T>>& packed, const T* bias, std::int64_t tile,
                    const PerThread<T>& scratch, T* y) {
  const std::int64_t c = layout.channels, k = source.geometry.conv.k;
  const std::int64_t filters = k / layout.blocks(), depth = layout.block * layout.positions;
  parallel_blocks(source.rows(), tile, [&](std::int64_t begin, std::int64_t end) {
    const Range rows{begin, end};
    T* const waste = scratch.of();
    T* const columns = waste + c;
    const T* const samples = gather_samples(source, rows, columns + tile * layout.width());
    fill_columns(source, rows, samples, layout, columns, waste);
    for (std::int64_t b = 0; b < layout.blocks(); ++b)
      gemm(rows.size(), columns + b * depth, layout.width(), packed[static_cast<std::size_t>(b)],
           y + begin * k + b * filters, k, bias == nullptr ? nullptr : bias + b * filters);
  });
}

template <class T>
void forward(const DeformKernelGeometry& g, const DeformKernelForwardArgs<T>& args,
             Workspace& workspace) {
  const ColumnLayout layout = whole_layout(g);
  with_source(
      g, args.x, args.offset, args.rotation, workspace, [&](const DeformKernelSource<T>& source) {
        if (source.rows() == 0) return;
        const bool depthwise = conv_form(g.conv) == ConvForm::depthwise;
        const std::int64_t width =
            (depthwise ? 0 : layout.width()) + (args.offset == nullptr ? 0 : g.taps() * g.conv.c);
        const std::int64_t tile =
            forward_tile_rows(source.rows(), width * static_cast<std::int64_t>(sizeof(T)));
        const PerThread<T> scratch(g.conv.c + tile * width, workspace);
        if (depthwise) {
          const T* const by_position = weights_by_position(g, args.weight, workspace);
          forward_depthwise(source, by_position, args.bias, tile, scratch, args.y);
          return;
        }
        const std::int64_t filters = g.conv.k / layout.blocks();
        const std::int64_t depth = layout.block * layout.positions;
        std::vector<PackedMatrix<T>> packed;
        for (std::int64_t b = 0; b < layout.blocks(); ++b)
          packed.push_back(
              pack(depth, filters,
                   MatrixView<T>{args.weight + b * filters * depth, depth, Transpose::yes},
                   workspace.take<T>(packed_size<T>(depth, filters))));
        forward_blocks(source, layout, packed, args.bias, tile, scratch, args.y);
      });
}

// dweight [k][positions][block] += dy * columns.
template <class T>
void add_blocks(const DeformKernelSource<T>& source, Range rows, const T* samples, const T* dy,
                const ColumnLayout& layout, T* columns, T* waste, T* dweight) {
  const std::int64_t k = source.geometry.conv.k, filters = k / layout.blocks();
  const std::int64_t depth = layout.block * layout.positions;
  fill_columns(source, rows, samples, layout, columns, waste);
  for (std::int64_t b = 0; b < layout.blocks(); ++b)
    gemm_transposed(filters, depth, rows.size(), dy + rows.begin * k + b * filters, k,
                    columns + b * depth, layout.width(), dweight + b * filters * depth, depth);
}

}  // namespace

template <class T>
void cpu::add_up_scopes(const DeformKernelSource<T>& source, const T* dy, T* dweight,
                        Workspace& workspace) {
  constexpr std::int64_t kUnit = 128;  // rows: a chunk is a multiple of it
  const DeformKernelGeometry& g = source.geometry;
  const ColumnLayout layout = whole_layout(g);
  const std::int64_t size = g.conv.k * layout.positions * (g.conv.c / g.conv.groups);
  const std::int64_t units = (source.rows() + kUnit - 1) / kUnit;
  const std::int64_t own = (units + kMostPartials - 1) / kMostPartials * kUnit;  // rows of a chunk
  const std::int64_t chunks = (source.rows() + own - 1) / own;
  T* const partials = workspace.take<T>(chunks * size);
  const std::int64_t width = layout.width() + source.samples_size(1);
  const std::int64_t tile = gradient_tile_rows(width * static_cast<std::int64_t>(sizeof(T)));
  const PerThread<T> scratch(g.conv.c + tile * width, workspace);
  parallel_for(chunks, [&](std::int64_t chunk) {
    T* const to = partials + chunk * size;
    T* const waste = scratch.of();
    T* const columns = waste + g.conv.c;
    std::fill_n(to, size, T(0));
    const std::int64_t last = std::min(source.rows(), (chunk + 1) * own);
    for (std::int64_t row = chunk * own; row < last; row += tile) {
      const Range rows{row, std::min(last, row + tile)};
      const T* const samples = gather_samples(source, rows, columns + tile * layout.width());
      add_blocks(source, rows, samples, dy, layout, columns, waste, to);
    }
  });
  sum_partials(chunks, size, partials, dweight);
}

template void cpu::add_up_scopes(const DeformKernelSource<float>&, const float*, float*,
                                 Workspace&);
template void cpu::add_up_scopes(const DeformKernelSource<double>&, const double*, double*,
                                 Workspace&);

constinit FloatKernel<DeformKernelForward> cpu::deform_kernel_forward{forward, forward};

}  // namespace pliant
