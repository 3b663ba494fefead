#include <pliant/core/kernels/dcn.h>

#include <algorithm>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/deform_spread.h>
#include <pliant/core/cpu/gemm.h>
#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kTileRows = 64;  // locations of a task that no other task's sums meet

template <class T>
struct DCNSource {
  const DCNGeometry& geometry;
  const T* x;
  const T* offset;
  const T* mask;
  const T* tap_row;  // [taps]
  const T* tap_column;
  const TapRuns<T>& runs;

  std::int64_t locations() const { return geometry.conv.p * geometry.conv.q; }
  std::int64_t rows() const { return geometry.conv.n * locations(); }
  std::int64_t group_channels() const { return geometry.conv.c / geometry.conv.groups; }
  std::int64_t offset_at(std::int64_t row, std::int64_t group) const {
    return row * geometry.offsets.location + group * geometry.offsets.group;
  }
  std::int64_t mask_at(std::int64_t row, std::int64_t group) const {
    return row * geometry.masks.location + group * geometry.masks.group;
  }
  // Where the map of the image of `row` starts.
  std::int64_t map(std::int64_t row) const {
    return row / locations() * geometry.conv.h * geometry.conv.w * geometry.conv.c;
  }
};

// (location, group) pairs whose taps are computed together.
std::int64_t units_at_once(const DCNGeometry& g) {
  return std::max<std::int64_t>(1, TapBatch<float>::kSize / std::max<std::int64_t>(1, g.taps()));
}

// The walk of one kernel call: the taps of the kernel without offsets, room for taps.
template <class T, class F>
void with_source(const DCNGeometry& g, const T* x, const T* offset, const T* mask,
                 Workspace& workspace, F&& f) {
  T* const tap_row = workspace.take<T>(g.taps());
  T* const tap_column = workspace.take<T>(g.taps());
  for (std::int64_t t = 0; t < g.taps(); ++t) {
    tap_row[t] = g.tap_row<T>(t);
    tap_column[t] = g.tap_column<T>(t);
  }
  const TapRuns<T> runs(units_at_once(g) * g.taps(), workspace);
  f(DCNSource<T>{g, x, offset, mask, tap_row, tap_column, runs});
}

// The coordinates of the taps of one unit, from sample `first` on.
template <class T>
void place_taps(const DCNSource<T>& source, std::int64_t row, std::int64_t group,
                std::int64_t first, TapRun<T>& run) {
  const DCNGeometry& g = source.geometry;
  const std::int64_t p = row / g.conv.q % g.conv.p, q = row % g.conv.q;
  const T* const offset = source.offset + source.offset_at(row, group);
  for (std::int64_t t = 0; t < g.taps(); ++t)
    run.place(first + t,
              dcn_coordinate(g, source.tap_row[t], p, g.conv.stride_h, offset[2 * t + 1]),
              dcn_coordinate(g, source.tap_column[t], q, g.conv.stride_w, offset[2 * t]));
}

// Calls f(row, group, run, first) for every location and group, whose taps are first, first + 1,
// ... of the run.
template <class T, class F>
void for_each_unit(const DCNSource<T>& source, Range rows, Range groups, F&& f) {
  const DCNGeometry& g = source.geometry;
  const std::int64_t units = rows.size() * groups.size(), step = units_at_once(g), taps = g.taps();
  TapRun<T> run = source.runs.of();
  const auto row = [&](std::int64_t unit) { return rows.begin + unit / groups.size(); };
  const auto group = [&](std::int64_t unit) { return groups.begin + unit % groups.size(); };
  for (std::int64_t first = 0; first < units; first += step) {
    const std::int64_t last = std::min(units, first + step);
    for (std::int64_t u = first; u < last; ++u)
      place_taps(source, row(u), group(u), (u - first) * taps, run);
    run.template compute<Border::zeros>((last - first) * taps, g.conv.h, g.conv.w);
    for (std::int64_t u = first; u < last; ++u) f(row(u), group(u), run, (u - first) * taps);
  }
}

// Pixels that are to be added up, each with its weight.
template <class T>
struct PixelSum {
  static constexpr std::int64_t kMost = 64;
  const T* from[kMost];
  T weight[kMost];
  std::int64_t count = 0;

  void add(const BilinearTap<T>& tap, T mask, const T* map, std::int64_t channels) {
    for (int k = 0; k < 4; ++k) {
      if (tap.pixel[k] < 0) continue;
      from[count] = map + std::int64_t{tap.pixel[k]} * channels;
      weight[count++] = tap.weight[k] * mask;
    }
  }
  // to[c] (+)= the sum, for `channels` channels.
  template <Accumulate accumulate>
  void write(std::int64_t channels, T* to) const {
    along_channels<T>(channels, [&]<class V>(std::int64_t c, V*) {
      V sum{}, v;
      if constexpr (accumulate == Accumulate::yes) load(to + c, sum);
      for (std::int64_t i = 0; i < count; ++i) {
        load(from[i] + c, v);
        sum += v * weight[i];
      }
      store(sum, to + c);
    });
  }
};

// What the masks of a unit are worth, [taps].
template <class T>
void mask_values(const DCNGeometry& g, const T* masks, T* values) {
  const DCNMask<T> value(g, masks);
  for (std::int64_t t = 0; t < g.taps(); ++t) values[t] = value(masks[t]);
}

template <class T>
void forward(const DCNGeometry& g, const T* x, const T* offset, const T* mask, T* y,
             Workspace& workspace) {
  const std::int64_t c = g.conv.c, taps = g.taps();
  constexpr std::int64_t kTogether = PixelSum<T>::kMost / 4;
  const PerThread<T> masks(taps, workspace);
  with_source(g, x, offset, mask, workspace, [&](const DCNSource<T>& source) {
    const std::int64_t own = source.group_channels();
    const auto write_unit = [&](std::int64_t row, std::int64_t group, const TapRun<T>& run,
                                std::int64_t first) {
      T* const value = masks.of();
      mask_values(g, mask + source.mask_at(row, group), value);
      const T* const map = x + source.map(row) + group * own;
      T* const to = y + row * c + group * own;
      for (std::int64_t t = 0; t < taps || t == 0; t += kTogether) {
        PixelSum<T> sum;
        for (std::int64_t i = t; i < std::min(taps, t + kTogether); ++i)
          sum.add(run[first + i], value[i], map, c);
        if (t == 0)
          sum.template write<Accumulate::no>(own, to);
        else
          sum.template write<Accumulate::yes>(own, to);
      }
    };
    parallel_blocks(source.rows(), kTileRows, [&](std::int64_t begin, std::int64_t end) {
      for_each_unit(source, {begin, end}, {0, g.conv.groups}, write_unit);
    });
  });
}

// Where one call's gradients go.
template <class T>
struct DCNGradients {
  const T* dy;
  T* dx;
  T* doffset;
  T* dmask;
  const T* zeros;               // [c]
  const PerThread<T>& scratch;  // c + taps elements: for what lies outside; masks
};

// From the gradients by what the masks are worth to those by the masks as they are stored.
template <class T>
void through_softmax(std::int64_t taps, const T* value, T* dmask) {
  T sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) sum += value[t] * dmask[t];
  for (std::int64_t t = 0; t < taps; ++t) dmask[t] = value[t] * (dmask[t] - sum);
}

// The gradients of some channels at some locations of one image. The sums by offset and mask run
// over the channels of a group, so with kDot these are whole groups.
template <bool kScatter, bool kDot, class T>
void spread_rows(const DCNSource<T>& source, Range rows, Range channels, const DCNGradients<T>& to,
                 HeldSums<T>* held) {
  const DCNGeometry& g = source.geometry;
  const std::int64_t c = g.conv.c, own = source.group_channels(), taps = g.taps();
  const T scale = static_cast<T>(g.offset_scale);
  T* const waste = to.scratch.of();
  T* const value = waste + c;
  const auto spread_unit = [&](std::int64_t row, std::int64_t group, const TapRun<T>& run,
                               std::int64_t first) {
    const Range shared{std::max(channels.begin, group * own),
                       std::min(channels.end, (group + 1) * own)};
    const std::int64_t mask_at = source.mask_at(row, group);
    mask_values(g, source.mask + mask_at, value);
    const std::int64_t map = source.map(row) + shared.begin;
    for (std::int64_t t = 0; t < taps; ++t) {
      const BilinearTap<T> tap = run[first + t];
      const T* from[4];
      T* target[4];
      T weight[4], dots[4] = {};
      if constexpr (kScatter) held->count_square(tap.pixel, g.conv.w);
      for (int k = 0; k < 4; ++k) {
        const std::int64_t at = map + std::int64_t{tap.pixel[k]} * c;
        from[k] = tap.pixel[k] < 0 ? to.zeros : source.x + at;
        target[k] = !kScatter || tap.pixel[k] < 0 ? waste : to.dx + at;
        weight[k] = tap.weight[k] * value[t];
      }
      spread<kScatter, kDot>(to.dy + row * c + shared.begin, from, target, weight, shared.size(),
                             dots);
      if (!kDot) continue;
      T* const pair = to.doffset + source.offset_at(row, group) + 2 * t;
      pair[0] = scale * value[t] * apply(tap.d_column, dots);
      pair[1] = scale * value[t] * apply(tap.d_row, dots);
      to.dmask[mask_at + t] = apply(tap.weight, dots);
    }
    if (kDot && g.mask_rule == MaskRule::softmax) through_softmax(taps, value, to.dmask + mask_at);
  };
  for_each_unit(source, rows, {channels.begin / own, (channels.end - 1) / own + 1}, spread_unit);
}

// A task owns some channels of an image and walks its locations in order, so the sums into dx come
// in a fixed order. Tasks of whole groups do all gradients at once; where those are too few, the
// sums over channels are tasks of their own.
template <class T>
void gradient(const DCNGeometry& g, const DCNSource<T>& source, const DCNGradients<T>& to) {
  constexpr std::int64_t kTasks = 8, kNarrow = 32;
  const std::int64_t own = source.group_channels(), locations = source.locations();
  const bool at_once = g.conv.n * g.conv.groups >= kTasks;
  const bool dot = to.doffset != nullptr;
  if (to.dx != nullptr) {
    const std::int64_t width = at_once ? own : std::min(g.conv.c, kNarrow);
    const std::int64_t blocks = (g.conv.c + width - 1) / width;
    parallel_for(g.conv.n * blocks, [&](std::int64_t task) {
      const std::int64_t image = task / blocks, first = task % blocks * width;
      const Range rows{image * locations, (image + 1) * locations};
      const Range channels{first, std::min(g.conv.c, first + width)};
      HeldSums<T> held = sums_in(g.conv, image, channels, to.dx);
      if (at_once && dot)
        spread_rows<true, true>(source, rows, channels, to, &held);
      else
        spread_rows<true, false>(source, rows, channels, to, &held);
      held.finish();
    });
  }
  if (!dot || (at_once && to.dx != nullptr)) return;
  parallel_blocks(source.rows(), kTileRows, [&](std::int64_t begin, std::int64_t end) {
    spread_rows<false, true, T>(source, {begin, end}, {0, g.conv.c}, to, nullptr);
  });
}

template <class T>
void gradient(const DCNGeometry& g, const DCNGradientArgs<T>& args, Workspace& workspace) {
  T* const zeros = workspace.take<T>(g.conv.c);
  const PerThread<T> scratch(g.conv.c + g.taps(), workspace);
  std::fill_n(zeros, g.conv.c, T(0));
  with_source(g, args.x, args.offset, args.mask, workspace, [&](const DCNSource<T>& source) {
    gradient(g, source,
             DCNGradients<T>{args.dy, args.dx, args.doffset, args.dmask, zeros, scratch});
  });
}

}  // namespace

constinit FloatKernel<DCNForward> cpu::dcn_forward{forward, forward};
constinit FloatKernel<DCNGradient> cpu::dcn_gradient{gradient, gradient};

}  // namespace pliant
