// Deformable kernels on the CPU: gradients. A task owns a block of channels of some images and
// walks their locations in order, so sums come in a fixed order. With one channel per group this
// walk sums the weight gradient too.
#include <algorithm>
#include <vector>

#include <pliant/core/column_memory.h>
#include <pliant/core/cpu/deform_kernel_channels.h>
#include <pliant/core/cpu/gemm.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/kernels/deform_kernel.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

// The channels of a task with their weights.
template <class T>
struct Share {
  Range channels;
  ColumnLayout layout;  // of the gradient of the columns
  bool depthwise;
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
                      conv_form(conv) == ConvForm::depthwise,
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

// Terms of a weight that are summed in T: all weights get many.
constexpr int kRun = 32;

// What one call writes besides dx, or a task its part of; each may be null.
template <class T>
struct Outputs {
  T *doffset, *drotation, *dweight;
};

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
  T* waste;                // [c]
  T* samples_gradient;     // [tile][taps][channels]
  T* columns_gradient;     // [tile][width], none if depthwise
  T* samples;              // as gather_samples() wants
  HeldSums<T>* pixels;     // of dx in the image under way
  HeldSums<T>* positions;  // of dweight
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

// The same with one channel per group, straight from dy and the weights, with the gradient of the
// weights [positions][c]; without offsets the samples' gradient is added to dx at once.
template <class T>
void through_channels(const Call<T>& call, const Share<T>& share, Range rows,
                      const Scratch<T>& scratch, T* drotation, T* dweight) {
  const DeformKernelSource<T>& source = call.source;
  const DeformKernelGeometry& g = source.geometry;
  const std::int64_t c = g.conv.c;
  const std::int64_t first_pixel = source.first_pixel(rows);
  const bool products = drotation != nullptr || dweight != nullptr;
  const TapValues<T> values(source, rows,
                            products ? gather_samples(source, rows, scratch.samples) : nullptr);
  const Sample sample = !call.wants_samples        ? Sample::none
                        : source.offset == nullptr ? Sample::add
                                                   : Sample::store;
  const RunChannelTap<T> run = channel_tap<T>(sample, drotation != nullptr, dweight != nullptr);
  for_each_rotated_tap(
      source, rows,
      [&](std::int64_t row, std::int64_t group, std::int64_t t, const BilinearTap<T>& tap) {
        const Stretch own = rotated_channels(share.channels, group, g.rotation_groups);
        const std::int64_t pixel = sample == Sample::add ? values.pixel_of(row, t) : 0;
        T* to = scratch.waste;
        if (sample == Sample::store)
          to = scratch.samples_gradient +
               ((row - rows.begin) * source.taps() + t) * share.channels.size() +
               (own.first - share.channels.begin);
        else if (pixel >= 0 && call.dx != nullptr) {
          to = call.dx + pixel * c + own.first;
          if (group == 0) scratch.pixels->count(pixel - first_pixel);
        }
        ChannelTap<T> one{call.dy + row * c + own.first,
                          products ? values(row, t) + own.first : nullptr,
                          {},
                          {},
                          to,
                          tap.weight};
        if (dweight != nullptr) scratch.positions->count_square(tap.pixel, g.scope_w);
        for (int i = 0; i < 4; ++i) {
          const std::int64_t at = tap.pixel[i] * c + own.first;
          const bool inside = tap.pixel[i] >= 0;
          one.from[i] =
              inside && call.by_position != nullptr ? call.by_position + at : source.zeros;
          one.to[i] = inside && dweight != nullptr ? dweight + at : scratch.waste;
        }
        T dots[4] = {};
        (one.*run)(own, dots);
        if (drotation == nullptr) return;
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
  const DeformGradients<T> to{call.dx, scratch.pixels, doffset, nullptr, scratch.waste, nullptr};
  if (source.offset != nullptr) {
    const ColumnLayout layout{own, own, source.taps()};
    spread_columns(source.samples(), rows, share.channels, layout, scratch.samples_gradient, to);
    return;
  }
  const TapValues<T> values(source, rows, nullptr);
  const std::int64_t first_pixel = source.first_pixel(rows);
  const T* from = scratch.samples_gradient;
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    for (std::int64_t t = 0; t < source.taps(); ++t, from += own) {
      const std::int64_t pixel = values.pixel_of(row, t);
      if (pixel < 0) continue;
      scratch.pixels->count(pixel - first_pixel);
      T* const pixel_gradient = call.dx + pixel * c + share.channels.begin;
      for (std::int64_t i = 0; i < own; ++i) pixel_gradient[i] += from[i];
    }
}

template <class T>
void run_image(const Call<T>& call, const Share<T>& share, std::int64_t image, std::int64_t tile,
               Scratch<T> scratch, const Outputs<T>& out) {
  const DeformKernelSource<T>& source = call.source;
  const Conv2dGeometry& conv = source.geometry.conv;
  HeldSums<T> pixels = sums_in(conv, image, share.channels, call.dx);
  scratch.pixels = &pixels;
  const bool added = share.depthwise && source.offset == nullptr;
  each_tile(image, source.locations(), share.channels, conv.c, tile, [&](Range rows) {
    if (share.depthwise)
      through_channels(call, share, rows, scratch, out.drotation, out.dweight);
    else
      through_blocks(call, share, rows, scratch, out.drotation);
    if (call.wants_samples && !added) spread_samples(call, share, rows, scratch, out.doffset);
  });
  pixels.finish();
}

// Sums partials [count][positions][c] in order, to [c][positions].
template <class T>
void sum_by_position(const DeformKernelGeometry& g, std::int64_t count, const T* partials,
                     T* dweight) {
  const std::int64_t positions = g.scope_h * g.scope_w, c = g.conv.c, size = positions * c;
  for (std::int64_t i = 0; i < size; ++i) {
    double sum = 0;
    for (std::int64_t part = 0; part < count; ++part)
      sum += static_cast<double>(partials[part * size + i % positions * c + i / positions]);
    dweight[i] = static_cast<T>(sum);
  }
}

// All gradients by one walk; dweight only if depthwise.
template <class T>
void walk(const Call<T>& call, const std::vector<Share<T>>& shares, const Outputs<T>& out,
          Workspace& workspace) {
  const DeformKernelSource<T>& source = call.source;
  const DeformKernelGeometry& g = source.geometry;
  const std::int64_t c = g.conv.c, count = static_cast<std::int64_t>(shares.size());
  const std::int64_t pairs = source.rows() * source.taps();
  const SharedSum<T> offsets(out.doffset, 2 * pairs, count, workspace);
  const SharedSum<T> rotations(out.drotation, 2 * pairs * g.rotation_groups, count, workspace);

  const bool weights = out.dweight != nullptr;
  const std::int64_t images = weights ? (g.conv.n + kMostPartials - 1) / kMostPartials : 1;
  const std::int64_t chunks = (g.conv.n + images - 1) / images;  // a task: `images` of a share
  const std::int64_t size = source.positions() * c;
  T* const partials = weights ? workspace.take<T>(chunks * size) : nullptr;
  if (weights) std::fill_n(partials, chunks * size, T(0));

  const bool depthwise = shares[0].depthwise;
  const std::int64_t widest = shares[0].channels.size();
  const std::int64_t samples = depthwise && source.offset == nullptr ? 0 : source.taps() * widest;
  const std::int64_t columns = depthwise ? 0 : shares[0].layout.width();
  const std::int64_t width = samples + columns + source.samples_size(1);
  const std::int64_t tile =
      std::min(source.locations(), column_rows(width * static_cast<std::int64_t>(sizeof(T))));
  const PerThread<T> memory(c + tile * width, workspace);
  parallel_for(chunks * count, [&](std::int64_t task) {
    const std::int64_t share = task % count, chunk = task / count;
    T* const waste = memory.of();
    T* const rest = waste + c;
    std::fill_n(waste, c, T(0));
    const Outputs<T> own{offsets.of(share), rotations.of(share),
                         weights ? partials + chunk * size : nullptr};
    const Range channels = shares[static_cast<std::size_t>(share)].channels;
    HeldSums<T> positions(weights ? own.dweight + channels.begin : nullptr,
                          weights ? source.positions() : 0, channels.size(), c, kRun);
    const Scratch<T> scratch{
        waste, rest, rest + tile * samples, rest + tile * (samples + columns), nullptr, &positions};
    for (std::int64_t image = chunk * images; image < std::min(g.conv.n, (chunk + 1) * images);
         ++image)
      run_image(call, shares[static_cast<std::size_t>(share)], image, tile, scratch, own);
    positions.finish();
  });
  offsets.add_up();
  rotations.add_up();
  if (weights) sum_by_position(g, chunks, partials, out.dweight);
}

template <class T>
void gradient(const DeformKernelGeometry& g, const DeformKernelGradientArgs<T>& args,
              Workspace& workspace) {
  const Outputs<T> out{args.doffset, args.drotation, args.dweight};
  if (g.conv.n == 0 && out.dweight != nullptr)
    std::fill_n(out.dweight, g.conv.k * g.scope_h * g.scope_w * (g.conv.c / g.conv.groups), T(0));
  const bool inputs = args.dx != nullptr || out.doffset != nullptr || out.drotation != nullptr;
  if (g.conv.n == 0 || (!inputs && out.dweight == nullptr)) return;
  with_source(
      g, args.x, args.offset, args.rotation, workspace, [&](const DeformKernelSource<T>& source) {
        Call<T> call{source, nullptr, args.dy, args.dx,
                     args.dx != nullptr || out.doffset != nullptr};
        std::vector<Share<T>> shares = share_out<T>(g);
        if (conv_form(g.conv) == ConvForm::depthwise) {
          if (inputs) call.by_position = weights_by_position(g, args.weight, workspace);
          walk(call, shares, out, workspace);
          return;
        }
        if (inputs) {
          Workspace own(Device::cpu());  // given back before the weight gradient takes its own
          for (Share<T>& share : shares) pack_share(g, args.weight, share, own);
          walk(call, shares, {out.doffset, out.drotation, nullptr}, own);
        }
        if (out.dweight != nullptr) add_up_scopes(source, args.dy, out.dweight, workspace);
      });
}

}  // namespace

constinit FloatKernel<DeformKernelGradient> cpu::deform_kernel_gradient{gradient, gradient};

}  // namespace pliant
