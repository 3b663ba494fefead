// The walk over locations, rotation groups and taps of a deformable kernel, shared by its CPU
// kernels, and what is done for one of them. Nothing here is called from outside
// deform_kernel*.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/deform_spread.h>
#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/kernels/deform_kernel.h>

namespace pliant::cpu {

// How the weights connect channels; each form has its own products.
enum class ConvForm : unsigned char { dense, depthwise, grouped };

inline ConvForm conv_form(const Conv2dGeometry& g) {
  if (g.groups == 1) return ConvForm::dense;
  return g.groups == g.c && g.groups == g.k ? ConvForm::depthwise : ConvForm::grouped;
}

template <class T>
struct DeformKernelSource {
  const DeformKernelGeometry& geometry;
  DeformGeometry deformed;  // of the samples, where there are offsets
  const T* x;
  const T* offset;  // may be null
  const T* rotation;
  const T* zeros;    // [c]
  const T* tap_row;  // [taps]: in the scope, not rotated
  const T* tap_column;
  const TapRuns<T>& runs;

  std::int64_t taps() const { return geometry.taps(); }
  std::int64_t positions() const { return geometry.scope_h * geometry.scope_w; }
  std::int64_t locations() const { return geometry.conv.p * geometry.conv.q; }
  std::int64_t rows() const { return geometry.conv.n * locations(); }
  // Of the image that the rows lie in.
  std::int64_t first_pixel(Range rows) const {
    return rows.begin / locations() * geometry.conv.h * geometry.conv.w;
  }
  std::int64_t rotated_taps() const { return geometry.rotation_groups * taps(); }  // of a location
  // Locations whose taps are computed together.
  std::int64_t rows_at_once() const {
    return std::max<std::int64_t>(1, TapBatch<T>::kSize / rotated_taps());
  }
  DeformSource<T> samples() const { return {deformed, x, offset, nullptr, zeros}; }
  // Elements of a tile's samples as gather_samples() makes them.
  std::int64_t samples_size(std::int64_t tile) const {
    return offset == nullptr ? 0 : tile * taps() * geometry.conv.c;
  }
};

// Calls f with the source of one kernel call.
template <class T, class F>
void with_source(const DeformKernelGeometry& g, const T* x, const T* offset, const T* rotation,
                 Workspace& workspace, F&& f) {
  T* const zeros = workspace.take<T>(g.conv.c);
  T* const tap_row = workspace.take<T>(g.taps());
  T* const tap_column = workspace.take<T>(g.taps());
  std::fill_n(zeros, g.conv.c, T(0));
  for (std::int64_t t = 0; t < g.taps(); ++t) {
    tap_row[t] = g.scope_row<T>(t / g.conv.s);
    tap_column[t] = g.scope_column<T>(t % g.conv.s);
  }
  const std::int64_t rotated = g.rotation_groups * g.taps();
  const TapRuns<T> runs(std::max(rotated, TapBatch<T>::kSize), workspace);
  f(DeformKernelSource<T>{
      g, {g.conv, 1, Border::zeros}, x, offset, rotation, zeros, tap_row, tap_column, runs});
}

// What tap t of a location reads: one pixel of x in place, or a sample out of `samples`.
template <class T>
class TapValues {
 public:
  TapValues(const DeformKernelSource<T>& source, Range rows, const T* samples)
      : source_(source), rows_(rows), samples_(samples) {}

  const T* operator()(std::int64_t row, std::int64_t tap) const {
    const Conv2dGeometry& g = source_.geometry.conv;
    if (samples_ != nullptr) return samples_ + ((row - rows_.begin) * source_.taps() + tap) * g.c;
    const std::int64_t pixel = pixel_of(row, tap);
    return pixel < 0 ? source_.zeros : source_.x + pixel * g.c;
  }
  // Its pixel in the whole batch of images, -1 outside of the map.
  std::int64_t pixel_of(std::int64_t row, std::int64_t tap) const {
    const Conv2dGeometry& g = source_.geometry.conv;
    const std::int64_t i = g.row(row / g.q % g.p, tap / g.s), j = g.column(row % g.q, tap % g.s);
    if (i < 0 || i >= g.h || j < 0 || j >= g.w) return -1;
    return (row / source_.locations() * g.h + i) * g.w + j;
  }

 private:
  const DeformKernelSource<T>& source_;
  Range rows_;
  const T* samples_;
};

// The samples of a tile, [rows][taps][c], where there are offsets; null where there are none.
template <class T>
const T* gather_samples(const DeformKernelSource<T>& source, Range rows, T* memory) {
  if (source.offset == nullptr) return nullptr;
  const std::int64_t c = source.geometry.conv.c;
  gather_columns(source.samples(), rows, {0, source.taps()}, {c, c, source.taps()}, memory);
  return memory;
}

// Calls f(row, rotation group, tap, scope tap) for all of some locations.
template <class T, class F>
void for_each_rotated_tap(const DeformKernelSource<T>& source, Range rows, F&& f) {
  const DeformKernelGeometry& g = source.geometry;
  const std::int64_t taps = source.taps(), rotated = source.rotated_taps();
  TapRun<T> run = source.runs.of();
  for (std::int64_t first = rows.begin; first < rows.end; first += source.rows_at_once()) {
    const std::int64_t last = std::min(rows.end, first + source.rows_at_once());
    const T* pair = source.rotation + 2 * rotation_pair(g, first, 0, 0);
    const std::int64_t count = (last - first) * rotated;
    for (std::int64_t i = 0; i < count; i += taps)
      for (std::int64_t t = 0; t < taps; ++t, pair += 2)
        run.place(i + t, source.tap_row[t] + pair[0], source.tap_column[t] + pair[1]);
    run.template compute<Border::zeros>(count, g.scope_h, g.scope_w);
    std::int64_t at = 0;
    for (std::int64_t row = first; row < last; ++row)
      for (std::int64_t group = 0; group < g.rotation_groups; ++group)
        for (std::int64_t t = 0; t < taps; ++t) f(row, group, t, run[at++]);
  }
}

// Some channels at even distances.
struct Stretch {
  std::int64_t first, count, step;
};

// Those of `channels` that follow a rotation group: c mod groups.
inline Stretch rotated_channels(Range channels, std::int64_t group, std::int64_t groups) {
  const std::int64_t first = channels.begin + ((group - channels.begin) % groups + groups) % groups;
  return {first, first >= channels.end ? 0 : (channels.end - first - 1) / groups + 1, groups};
}

// to[c] = sum over i of weight[i] * from[i][c], for c = 0, step, ...
template <class T>
void blend_stretch(const T* const (&from)[4], const T (&weight)[4], const Stretch& along, T* to) {
  if (along.step == 1) {
    blend(from, weight, along.count, to);
    return;
  }
  for (std::int64_t i = 0, c = 0; i < along.count; ++i, c += along.step)
    to[c] = blended({from[0][c], from[1][c], from[2][c], from[3][c]}, weight);
}

// As spread(), for c = 0, step, ...
template <bool kScatter, bool kDot, class T>
void spread_stretch(const T* q, const T* const (&from)[4], T* const (&to)[4], const T (&weight)[4],
                    const Stretch& along, T (&dots)[4]) {
  if (along.step == 1) {
    spread<kScatter, kDot>(q, from, to, weight, along.count, dots);
    return;
  }
  for (std::int64_t n = 0, c = 0; n < along.count; ++n, c += along.step)
    for (int i = 0; i < 4; ++i) {
      if constexpr (kDot) dots[i] += q[c] * from[i][c];
      if constexpr (kScatter) to[i][c] += q[c] * weight[i];
    }
}

// The rows of four scope positions, or `outside` for those that are not there.
template <class Element>
struct FourRows {
  Element* row[4];
  template <class T>
  FourRows(const BilinearTap<T>& tap, Element* base, std::int64_t stride, Element* outside) {
    for (int i = 0; i < 4; ++i) row[i] = tap.pixel[i] < 0 ? outside : base + tap.pixel[i] * stride;
  }
};

// The weights [k][positions][1] as [positions][c].
template <class T>
T* weights_by_position(const DeformKernelGeometry& g, const T* weight, Workspace& workspace) {
  const std::int64_t positions = g.scope_h * g.scope_w, size = positions * g.conv.c;
  T* const by_position = workspace.take<T>(size);
  for (std::int64_t i = 0; i < size; ++i)
    by_position[i % positions * g.conv.c + i / positions] = weight[i];
  return by_position;
}

// Whether a tap reads nothing of the scope.
template <class T>
bool reads_nothing(const BilinearTap<T>& tap) {
  return (tap.pixel[0] & tap.pixel[1] & tap.pixel[2] & tap.pixel[3]) < 0;
}

// What the gradient by a sample does to where it is written.
enum class Sample : unsigned char { none, store, add };

// One tap of a location backwards with one channel per group, where the tap reads `value` and
// blended(from, weight) is its kernel:
//   sample[c] (+)= dy[c] * kernel[c], dots[i] = sum over c of dy[c] * value[c] * from[i][c] (kDot),
//   to[i][c] += weight[i] * dy[c] * value[c] (kScatter).
template <class T>
struct ChannelTap {
  const T *dy, *value;
  const T* from[4];
  T* to[4];
  T* sample;
  const T (&weight)[4];

  template <Sample kSample, bool kDot, bool kScatter>
  void run(const Stretch& along, T (&dots)[4]) const {
    using Whole = Vector<T>;
    constexpr std::int64_t kLanes = sizeof(Whole) / sizeof(T);
    const auto step = [&]<class V>(std::int64_t c, V(&sums)[4]) {
      V slope, kernel[4], v;
      load(dy + c, slope);
      if constexpr (kSample != Sample::none || kDot)
        for (int i = 0; i < 4; ++i) load(from[i] + c, kernel[i]);
      if constexpr (kSample != Sample::none) {
        V product = slope * blended(kernel, weight);
        if constexpr (kSample == Sample::add) {
          load(sample + c, v);
          product += v;
        }
        store(product, sample + c);
      }
      if constexpr (kDot || kScatter) {
        load(value + c, v);
        slope *= v;
      }
      for (int i = 0; i < 4; ++i) {
        if constexpr (kDot) sums[i] += slope * kernel[i];
        if constexpr (kScatter) {
          load(to[i] + c, v);
          v += slope * weight[i];
          store(v, to[i] + c);
        }
      }
    };
    std::int64_t n = 0;
    if (along.step == 1) {
      Whole sums[4] = {};
      for (; n + kLanes <= along.count; n += kLanes) step(n, sums);
      if constexpr (kDot) sum_lanes<T>(sums, dots);
    }
    for (; n < along.count; ++n) step(n * along.step, dots);
  }
};

template <class T>
using RunChannelTap = void (ChannelTap<T>::*)(const Stretch&, T (&)[4]) const;

template <class T>
RunChannelTap<T> channel_tap(Sample sample, bool dot, bool scatter) {
  const auto with = []<Sample kSample>(bool kDot, bool kScatter) -> RunChannelTap<T> {
    using Tap = ChannelTap<T>;
    if (kDot && kScatter) return &Tap::template run<kSample, true, true>;
    if (kDot) return &Tap::template run<kSample, true, false>;
    if (kScatter) return &Tap::template run<kSample, false, true>;
    return &Tap::template run<kSample, false, false>;
  };
  if (sample == Sample::none) return with.template operator()<Sample::none>(dot, scatter);
  if (sample == Sample::store) return with.template operator()<Sample::store>(dot, scatter);
  return with.template operator()<Sample::add>(dot, scatter);
}

// The weight gradient by matrix products, in deform_kernel.cpp; for T = float and double.
template <class T>
void add_up_scopes(const DeformKernelSource<T>& source, const T* dy, T* dweight,
                   Workspace& workspace);

}  // namespace pliant::cpu
