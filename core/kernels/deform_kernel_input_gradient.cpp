// Deformable kernels on the CPU: gradients by x, offset and rotation. A task owns a block of
// channels of an image and walks its locations in order, so sums into dx come in a fixed order.
#include <algorithm>
#include <vector>

#include <pliant/core/column_memory.h>
#include <pliant/core/gemm.h>
#include <pliant/core/kernels/deform_kernel.h>
#include <pliant/core/kernels/deform_kernel_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// The channels of a task with their weights.
template <class T>
struct Share {
  Range channels;
  ColumnLayout layout;                  // of the gradient of the columns
  std::vector<PackedMatrix<T>> packed;  // for each block; depthwise: none
};

// With few images, an image's channels are shared out to get tasks enough, by whole weight groups
// where there are several.
template <class T>
std::vector<Share<T>> share_out(const DeformKernelGeometry& g) {
  constexpr std::int64_t kTasks = 8, kNarrow = 32;
  const Conv2dGeometry& conv = g.conv;
  const bool grouped = conv_form(conv) == ConvForm::grouped;
  const std::int64_t group = grouped ? conv.c / conv.groups : 1;
  const std::int64_t unit = (kNarrow + group - 1) / group * group;
  const std::int64_t units = (conv.c + unit - 1) / unit, wanted = (kTasks + conv.n - 1) / conv.n;
  const std::int64_t width = (units + wanted - 1) / wanted * unit;
  std::vector<Share<T>> shares;
  for (std::int64_t begin = 0; begin < conv.c; begin += width) {
    const Range channels{begin, std::min(conv.c, begin + width)};
    shares.push_back({channels,
                      {channels.size(), grouped ? group : channels.size(), g.scope_h * g.scope_w},
                      {}});
  }
  return shares;
}

// The weights of each block of a share as its product wants them: [k][positions][block].
template <class T>
void pack_share(const DeformKernelGeometry& g, const T* weight, Share<T>& share,
                Workspace& workspace) {
  const std::int64_t in = g.conv.c / g.conv.groups, out = g.conv.k / g.conv.groups;
  const ColumnLayout& layout = share.layout;
  const std::int64_t depth = layout.positions * layout.block;
  T* const part = workspace.take<T>(out * depth);
  for (std::int64_t b = 0; b < layout.blocks(); ++b) {
    const std::int64_t first = share.channels.begin + b * layout.block;
    const T* const from = weight + first / in * out * layout.positions * in + first % in;
    for (std::int64_t i = 0; i < out * layout.positions; ++i)
      std::copy_n(from + i * in, layout.block, part + i * layout.block);
    share.packed.push_back(pack(out, depth, MatrixView<T>{part, depth},
                                workspace.take<T>(packed_size<T>(out, depth))));
  }
}

// What all tasks of one call see.
template <class T>
struct Call {
  const DeformKernelSource<T>& source;
  const T* by_position;  // depthwise: weights [positions][c]
  const T* dy;
  T* dx;
  bool wants_samples;  // for dx and doffset
};

// One task's memory.
template <class T>
struct Scratch {
  T* products;          // [c]
  T* waste;             // [c]
  T* samples_gradient;  // [tile][taps][channels]
  T* columns_gradient;  // [tile][width], none if depthwise
  T* samples;           // as gather_samples() wants
};

// dy times the weights of the share's channels.
template <class T>
void multiply(const Call<T>& call, const Share<T>& share, Range rows, T* columns_gradient) {
  const std::int64_t k = call.source.geometry.conv.k;
  const ColumnLayout& layout = share.layout;
  const std::int64_t depth = layout.block * layout.positions;
  const Conv2dGeometry& conv = call.source.geometry.conv;
  const std::int64_t first = share.channels.begin / (conv.c / conv.groups);  // group
  for (std::int64_t b = 0; b < layout.blocks(); ++b)
    gemm(rows.size(), call.dy + rows.begin * k + (first + b) * (k / conv.groups), k,
         share.packed[static_cast<std::size_t>(b)], columns_gradient + b * depth, layout.width());
}

// From the gradient of the columns to those of the samples and of the rotation, pair by pair.
template <class T>
void through_blocks(const Call<T>& call, const Share<T>& share, Range rows,
                    const Scratch<T>& scratch, T* drotation) {
  const DeformKernelSource<T>& source = call.source;
  const DeformKernelGeometry& g = source.geometry;
  const ColumnLayout& layout = share.layout;
  const TapValues<T> values(
      source, rows, drotation == nullptr ? nullptr : gather_samples(source, rows, scratch.samples));
  multiply(call, share, rows, scratch.columns_gradient);
  for_each_rotated_tap(
      source, rows,
      [&](std::int64_t row, std::int64_t group, std::int64_t t, const BilinearTap<T>& tap) {
        const std::int64_t local = row - rows.begin;
        const T* const columns = scratch.columns_gradient + local * layout.width();
        T* const to = scratch.samples_gradient + (local * source.taps() + t) * layout.channels;
        const T* const value =
            drotation == nullptr ? nullptr : values(row, t) + share.channels.begin;
        T* const none[4] = {};
        T dots[4] = {};
        for (std::int64_t b = 0; b < layout.blocks(); ++b) {
          const std::int64_t first = share.channels.begin + b * layout.block;
          const Stretch own =
              rotated_channels({first, first + layout.block}, group, g.rotation_groups);
          const std::int64_t at = own.first - share.channels.begin;
          const T* const base = columns + b * layout.block * layout.positions + (own.first - first);
          const FourRows<const T> four(tap, base, layout.block, source.zeros);
          if (call.wants_samples) blend_stretch(four.row, tap.weight, own, to + at);
          if (drotation == nullptr) continue;
          T more[4] = {};
          spread_stretch<false, true>(value + at, four.row, none, tap.weight, own, more);
          for (int i = 0; i < 4; ++i) dots[i] += more[i];
        }
        if (drotation == nullptr) return;
        T* const pair = drotation + 2 * rotation_pair(g, row, group, t);
        pair[0] = apply(tap.d_row, dots);
        pair[1] = apply(tap.d_column, dots);
      });
}

// The same with one channel per group, straight from dy and the weights.
template <class T>
void through_channels(const Call<T>& call, const Share<T>& share, Range rows,
                      const Scratch<T>& scratch, T* drotation) {
  const DeformKernelSource<T>& source = call.source;
  const DeformKernelGeometry& g = source.geometry;
  const std::int64_t c = g.conv.c;
  const TapValues<T> values(
      source, rows, drotation == nullptr ? nullptr : gather_samples(source, rows, scratch.samples));
  for_each_rotated_tap(
      source, rows,
      [&](std::int64_t row, std::int64_t group, std::int64_t t, const BilinearTap<T>& tap) {
        const Stretch own = rotated_channels(share.channels, group, g.rotation_groups);
        const FourRows<const T> four(tap, call.by_position + own.first, c, source.zeros);
        const T* const dy = call.dy + row * c + own.first;
        if (call.wants_samples) {
          T* const to = scratch.samples_gradient +
                        ((row - rows.begin) * source.taps() + t) * share.channels.size() +
                        (own.first - share.channels.begin);
          blend_stretch(four.row, tap.weight, own, to);
          multiply_stretch(to, dy, own, to);
        }
        if (drotation == nullptr) return;
        T* const none[4] = {};
        T dots[4] = {};
        multiply_stretch(dy, values(row, t) + own.first, own, scratch.products);
        spread_stretch<false, true>(scratch.products, four.row, none, tap.weight, own, dots);
        T* const pair = drotation + 2 * rotation_pair(g, row, group, t);
        pair[0] = apply(tap.d_row, dots);
        pair[1] = apply(tap.d_column, dots);
      });
}

// The gradient of the samples goes to the pixels they were made of.
template <class T>
void spread_samples(const Call<T>& call, const Share<T>& share, Range rows,
                    const Scratch<T>& scratch, T* doffset) {
  const DeformKernelSource<T>& source = call.source;
  const std::int64_t c = source.geometry.conv.c, own = share.channels.size();
  const DeformGradients<T> to{call.dx, doffset, nullptr, scratch.waste};
  if (source.offset != nullptr) {
    const ColumnLayout layout{own, own, source.taps()};
    if (call.dx != nullptr && doffset != nullptr)
      spread_columns<true, true>(source.samples(), rows, share.channels, layout,
                                 scratch.samples_gradient, to);
    else if (call.dx != nullptr)
      spread_columns<true, false>(source.samples(), rows, share.channels, layout,
                                  scratch.samples_gradient, to);
    else
      spread_columns<false, true>(source.samples(), rows, share.channels, layout,
                                  scratch.samples_gradient, to);
    return;
  }
  const TapValues<T> values(source, rows, nullptr);
  const T* from = scratch.samples_gradient;
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    for (std::int64_t t = 0; t < source.taps(); ++t, from += own) {
      const std::int64_t pixel = values.pixel_of(row, t);
      if (pixel < 0) continue;
      T* const pixel_gradient = call.dx + pixel * c + share.channels.begin;
      for (std::int64_t i = 0; i < own; ++i) pixel_gradient[i] += from[i];
    }
}

// Sums over channels, one buffer for each share of them; the first is the result itself.
template <class T>
class Shared {
 public:
  Shared(T* whole, std::int64_t size, std::int64_t shares, Workspace& workspace)
      : whole_(whole), size_(size), shares_(shares) {
    if (whole != nullptr && shares > 1) more_ = workspace.take<T>((shares - 1) * size);
  }
  T* of(std::int64_t share) const {
    return whole_ == nullptr || share == 0 ? whole_ : more_ + (share - 1) * size_;
  }
  void add_up() const {
    if (more_ == nullptr) return;
    parallel_blocks(size_, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t share = 1; share < shares_; ++share)
        for (std::int64_t i = begin; i < end; ++i) whole_[i] += of(share)[i];
    });
  }

 private:
  T* whole_;
  T* more_ = nullptr;
  std::int64_t size_, shares_;
};

template <class T>
void run_share(const Call<T>& call, const Share<T>& share, std::int64_t image, std::int64_t tile,
               const Scratch<T>& scratch, T* doffset, T* drotation) {
  const DeformKernelSource<T>& source = call.source;
  const Conv2dGeometry& conv = source.geometry.conv;
  std::fill_n(scratch.waste, conv.c, T(0));
  if (call.dx != nullptr)
    for (std::int64_t pixel = image * conv.h * conv.w; pixel < (image + 1) * conv.h * conv.w;
         ++pixel)
      std::fill_n(call.dx + pixel * conv.c + share.channels.begin, share.channels.size(), T(0));
  const std::int64_t last = (image + 1) * source.locations();
  for (std::int64_t row = image * source.locations(); row < last; row += tile) {
    const Range rows{row, std::min(last, row + tile)};
    if (share.packed.empty())
      through_channels(call, share, rows, scratch, drotation);
    else
      through_blocks(call, share, rows, scratch, drotation);
    if (call.wants_samples) spread_samples(call, share, rows, scratch, doffset);
  }
}

template <class T>
void run_all(const Call<T>& call, const std::vector<Share<T>>& shares, T* doffset, T* drotation,
             Workspace& workspace) {
  const DeformKernelSource<T>& source = call.source;
  const std::int64_t c = source.geometry.conv.c, count = static_cast<std::int64_t>(shares.size());
  const std::int64_t pairs = source.rows() * source.taps();
  const Shared<T> offsets(doffset, 2 * pairs, count, workspace);
  const Shared<T> rotations(drotation, 2 * pairs * source.geometry.rotation_groups, count,
                            workspace);
  const std::int64_t widest = shares[0].channels.size();
  const std::int64_t samples = source.taps() * widest;
  const std::int64_t columns = shares[0].packed.empty() ? 0 : shares[0].layout.width();
  const std::int64_t gathered = source.samples_size(1), width = samples + columns + gathered;
  const std::int64_t tile = column_rows(width * static_cast<std::int64_t>(sizeof(T)));
  const PerThread<T> memory(2 * c + tile * width, workspace);
  parallel_for(source.geometry.conv.n * count, [&](std::int64_t task) {
    const std::int64_t share = task % count;
    T* const own = memory.of();
    T* const rest = own + 2 * c;
    const Scratch<T> scratch{own, own + c, rest, rest + tile * samples,
                             rest + tile * (samples + columns)};
    run_share(call, shares[static_cast<std::size_t>(share)], task / count, tile, scratch,
              offsets.of(share), rotations.of(share));
  });
  offsets.add_up();
  rotations.add_up();
}

template <class T>
void input_gradient(const DeformKernelGeometry& g, const T* x, const T* offset, const T* rotation,
                    const T* weight, const T* dy, T* dx, T* doffset, T* drotation,
                    Workspace& workspace) {
  if (g.conv.n == 0 || (dx == nullptr && doffset == nullptr && drotation == nullptr)) return;
  with_source(g, x, offset, rotation, workspace, [&](const DeformKernelSource<T>& source) {
    Call<T> call{source, nullptr, dy, dx, dx != nullptr || doffset != nullptr};
    std::vector<Share<T>> shares = share_out<T>(g);
    if (conv_form(g.conv) == ConvForm::depthwise)
      call.by_position = weights_by_position(g, weight, workspace);
    else
      for (Share<T>& share : shares) pack_share(g, weight, share, workspace);
    run_all(call, shares, doffset, drotation, workspace);
  });
}

}  // namespace

void cpu::deform_kernel_input_gradient(const DeformKernelGeometry& g, const float* x,
                                       const float* offset, const float* rotation,
                                       const float* weight, const float* dy, float* dx,
                                       float* doffset, float* drotation, Workspace& workspace) {
  input_gradient(g, x, offset, rotation, weight, dy, dx, doffset, drotation, workspace);
}

void cpu::deform_kernel_input_gradient(const DeformKernelGeometry& g, const double* x,
                                       const double* offset, const double* rotation,
                                       const double* weight, const double* dy, double* dx,
                                       double* doffset, double* drotation, Workspace& workspace) {
  input_gradient(g, x, offset, rotation, weight, dy, dx, doffset, drotation, workspace);
}

}  // namespace pliant
