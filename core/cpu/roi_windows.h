// How the CPU kernels on regions read and write a map: the window of pixels that a bin reads, as a
// product of weighted rows and weighted columns, and the walks over the bins.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <pliant/core/cpu/held_sums.h>
#include <pliant/core/cpu/vectors.h>
#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

// The pixels along one axis that a bin reads, in ascending order, with the sums of their samples'
// weights and of the derivatives of those by the place of the bin. Ten samples of a small bin read
// three pixels, and a window of rows and columns reads each of its pixels once.
template <class T>
struct AxisWindow {
  struct Pixel {
    std::int64_t at;
    T weight, slope;
    double all_weights, all_slopes;  // weight and slope, not rounded: there may be many samples
  };
  std::vector<Pixel> pixels;
  double count = 0;  // samples to be averaged over

  void clear() {
    pixels.clear();
    count = 0;
  }
  // Pixels come in ascending order, but for the last two, which may come again.
  void add(std::int64_t at, T weight, T slope) {
    for (std::size_t back = 1; back <= 2 && back <= pixels.size(); ++back) {
      Pixel& held = pixels[pixels.size() - back];
      if (held.at != at) continue;
      held.all_weights += static_cast<double>(weight);
      held.all_slopes += static_cast<double>(slope);
      held.weight = static_cast<T>(held.all_weights);
      held.slope = static_cast<T>(held.all_slopes);
      return;
    }
    pixels.push_back({at, weight, slope, static_cast<double>(weight), static_cast<double>(slope)});
  }
  void add(const AxisTap<T>& tap) {
    if (tap.low >= 0) add(tap.low, tap.low_weight, -tap.slope);
    if (tap.high >= 0) add(tap.high, tap.high_weight, tap.slope);
  }
  // Taps of all samples by tap_of(at); counts those that read something.
  template <class F>
  void add(const BinSamples& samples, F&& tap_of) {
    for (std::int64_t i = samples.begin; i < samples.end; ++i) {
      const bool ascending = samples.step >= 0;
      const std::int64_t sample = ascending ? i : samples.begin + samples.end - 1 - i;
      const AxisTap<T> tap = tap_of(samples.at(sample));
      if (tap.low >= 0) count += 1;
      add(tap);
    }
  }
  bool empty() const { return pixels.empty(); }
  // The rows from the first to past the last.
  PixelRange range() const {
    return empty() ? PixelRange{} : PixelRange{pixels.front().at, pixels.back().at + 1};
  }
};

// The same, kept elsewhere.
template <class T>
struct AxisView {
  std::span<const typename AxisWindow<T>::Pixel> pixels;
  double count;

  bool empty() const { return pixels.empty(); }
  PixelRange range() const {
    return empty() ? PixelRange{} : PixelRange{pixels.front().at, pixels.back().at + 1};
  }
};

// One image's channels of one group: channel o of pixel (i, j) lies at
// base[(i * width + j) * pixel + o * channel].
template <class T>
struct MapView {
  T* base;
  std::int64_t width, pixel, channel;
};

// Some vectors one after the other; as one copy this becomes a call of memcpy.
template <class T, class V, std::size_t kVectors>
inline void load_all(const T* from, V (&to)[kVectors]) {
  for (std::size_t i = 0; i < kVectors; ++i) load(from + i * (sizeof(V) / sizeof(T)), to[i]);
}
template <class T, class V, std::size_t kVectors>
inline void store_all(const V (&from)[kVectors], T* to) {
  for (std::size_t i = 0; i < kVectors; ++i) store(from[i], to + i * (sizeof(V) / sizeof(T)));
}

// sums[i] = the weighted sum of a window's pixels in vector i of channels from channel c on.
template <std::size_t kVectors, class T, class Window, class V>
inline void sum_window(const MapView<const T>& map, const Window& rows, const Window& columns,
                       std::int64_t c, V (&sums)[kVectors]) {
  constexpr std::int64_t kLanes = sizeof(V) / sizeof(T);
  for (V& sum : sums) sum = V{};
  for (const auto& row : rows.pixels) {
    const T* const line = map.base + row.at * map.width * map.pixel + c;
    V of_row[kVectors] = {};
    for (const auto& column : columns.pixels) {
      const T* const from = line + column.at * map.pixel;
      for (std::size_t i = 0; i < kVectors; ++i) {
        V v;
        load(from + static_cast<std::int64_t>(i) * kLanes, v);
        of_row[i] += v * column.weight;
      }
    }
    for (std::size_t i = 0; i < kVectors; ++i) sums[i] += of_row[i] * row.weight;
  }
}

// Adds the dot products, lane by lane, of dy with a window's pixels in the same channels:
// dots[0]: weighted by weight * weight, dots[1]: by row slope, dots[2]: by column slope.
template <std::size_t kVectors, class T, class Window, class V>
inline void dot_window(const MapView<const T>& map, const Window& rows, const Window& columns,
                       std::int64_t c, const V (&dy)[kVectors], V (&dots)[3]) {
  constexpr std::int64_t kLanes = sizeof(V) / sizeof(T);
  for (const auto& row : rows.pixels) {
    const T* const line = map.base + row.at * map.width * map.pixel + c;
    V by_weight{}, by_slope{};
    for (const auto& column : columns.pixels) {
      const T* const from = line + column.at * map.pixel;
      V of_pixel{};
      for (std::size_t i = 0; i < kVectors; ++i) {
        V v;
        load(from + static_cast<std::int64_t>(i) * kLanes, v);
        of_pixel += v * dy[i];
      }
      by_weight += of_pixel * column.weight;
      by_slope += of_pixel * column.slope;
    }
    dots[0] += by_weight * row.weight;
    dots[1] += by_weight * row.slope;
    dots[2] += by_slope * row.weight;
  }
}

// Calls f<count>(channel, V*) for all channels in order, first by four vectors V, then by one, then
// by ever smaller ones. The pointer, null, tells V.
template <class T, class F>
inline void each_channel_block(std::int64_t channels, F&& f) {
  using Whole = Vector<T, 64>;
  using Quarter = Vector<T, 16>;
  using One = Vector<T, sizeof(T)>;
  constexpr std::int64_t kWhole = 64 / sizeof(T), kQuarter = 16 / sizeof(T);
  std::int64_t c = 0;
  for (; c + 4 * kWhole <= channels; c += 4 * kWhole)
    f.template operator()<4>(c, static_cast<Whole*>(nullptr));
  for (; c + kWhole <= channels; c += kWhole)
    f.template operator()<1>(c, static_cast<Whole*>(nullptr));
  for (; c + kQuarter <= channels; c += kQuarter)
    f.template operator()<1>(c, static_cast<Quarter*>(nullptr));
  for (; c < channels; ++c) f.template operator()<1>(c, static_cast<One*>(nullptr));
}

// y[o] = the window's sum in channel o * factor / count, for `channels` contiguous or spaced
// channels; 0 where count is, of a window without pixels.
template <class T>
inline void pool_window(const MapView<const T>& map, const AxisWindow<T>& rows,
                        const AxisWindow<T>& columns, T factor, std::int64_t channels, T* y) {
  const double count = rows.count * columns.count;
  const T divisor = count > 0 ? static_cast<T>(count) : T(1);
  if (map.channel == 1) {
    each_channel_block<T>(channels, [&]<std::size_t kVectors, class V>(std::int64_t c, V*) {
      V sums[kVectors];
      sum_window(map, rows, columns, c, sums);
      for (V& sum : sums) sum = sum * factor / divisor;
      store_all(sums, y + c);
    });
    return;
  }
  std::fill_n(y, channels, T(0));
  for (const auto& row : rows.pixels)
    for (const auto& column : columns.pixels) {
      const T* const from = map.base + (row.at * map.width + column.at) * map.pixel;
      const T weight = row.weight * column.weight;
      for (std::int64_t o = 0; o < channels; ++o) y[o] += weight * from[o * map.channel];
    }
  for (std::int64_t o = 0; o < channels; ++o) y[o] = y[o] * factor / divisor;
}

// Sum of the lanes, halving the vector.
template <class T>
inline T sum_lanes(Vector<T, 64> v) {
  Vector<T, 32> half[2];
  std::memcpy(half, &v, sizeof(v));
  half[0] += half[1];
  Vector<T, 16> quarter[2];
  std::memcpy(quarter, half, sizeof(quarter));
  quarter[0] += quarter[1];
  T sum = 0;
  for (std::size_t lane = 0; lane < sizeof(quarter[0]) / sizeof(T); ++lane) sum += quarter[0][lane];
  return sum;
}

// Dot products of dy with the window's sums: by weight, by row slope and by column slope.
template <class T, class Window>
inline void dot_window(const MapView<const T>& map, const Window& rows, const Window& columns,
                       std::int64_t channels, const T* dy, T (&dots)[3]) {
  for (T& dot : dots) dot = 0;
  if (map.channel != 1) {
    for (const auto& row : rows.pixels)
      for (const auto& column : columns.pixels) {
        const T* const from = map.base + (row.at * map.width + column.at) * map.pixel;
        T dot = 0;
        for (std::int64_t o = 0; o < channels; ++o) dot += dy[o] * from[o * map.channel];
        dots[0] += row.weight * column.weight * dot;
        dots[1] += row.slope * column.weight * dot;
        dots[2] += row.weight * column.slope * dot;
      }
    return;
  }
  using Whole = Vector<T, 64>;
  Whole totals[3] = {};
  each_channel_block<T>(channels, [&]<std::size_t kVectors, class V>(std::int64_t c, V*) {
    V by[kVectors];
    load_all(dy + c, by);
    if constexpr (sizeof(V) == sizeof(Whole)) {
      dot_window(map, rows, columns, c, by, totals);
    } else {
      V few[3] = {};
      dot_window(map, rows, columns, c, by, few);
      for (int of = 0; of < 3; ++of)
        for (std::size_t lane = 0; lane < sizeof(V) / sizeof(T); ++lane) dots[of] += few[of][lane];
    }
  });
  for (int of = 0; of < 3; ++of) dots[of] += sum_lanes<T>(totals[of]);
}

// Adds scale * dy to the window's pixels in rows begin .. end-1 of a map of contiguous channels.
template <class T, class Window>
inline void spread_window(const MapView<T>& map, const Window& rows, const Window& columns,
                          PixelRange inside, T scale, std::int64_t channels, const T* dy) {
  each_channel_block<T>(channels, [&]<std::size_t kVectors, class V>(std::int64_t c, V*) {
    constexpr std::size_t kLanes = sizeof(V) / sizeof(T);
    V add[kVectors];
    load_all(dy + c, add);
    for (V& v : add) v *= scale;
    for (const auto& row : rows.pixels) {
      if (row.at < inside.begin || row.at >= inside.end) continue;
      T* const line = map.base + row.at * map.width * map.pixel + c;
      for (const auto& column : columns.pixels) {
        T* const to = line + column.at * map.pixel;
        const T weight = row.weight * column.weight;
        for (std::size_t i = 0; i < kVectors; ++i) {
          V sum;
          load(to + i * kLanes, sum);
          sum += add[i] * weight;
          store(sum, to + i * kLanes);
        }
      }
    }
  });
}

// A map as the bins read it: by groups of channels. The k channels of a group lie groups() apart
// in x; where regions read much of the map, a copy [n groups h w k] is read instead.
template <class T>
class GroupedMap {
 public:
  GroupedMap(const RoIGeometry& g, const T* x, Workspace& workspace) : g_(g), x_(x) {
    constexpr std::int64_t kPixelsPerBin = 8;
    if (g.groups() == 1 || g.r * g.p * g.q * kPixelsPerBin < g.n * g.groups() * g.h * g.w) return;
    T* const copy = workspace.take<T>(g.n * g.h * g.w * g.c);
    copy_ = copy;
    parallel_blocks(g.n * g.h * g.w, kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at)
        for (std::int64_t group = 0; group < g.groups(); ++group) {
          const T* const from = x + at * g.c + group;
          T* const to = copy + place(g, at, group);
          for (std::int64_t o = 0; o < g.k; ++o) to[o] = from[o * g.groups()];
        }
    });
  }

  MapView<const T> view(std::int64_t image, std::int64_t group) const {
    const std::int64_t pixels = g_.h * g_.w;
    if (copy_ != nullptr) return {copy_ + place(g_, image * pixels, group), g_.w, g_.k, 1};
    return {x_ + image * pixels * g_.c + group, g_.w, g_.c, g_.groups()};
  }

  static constexpr std::int64_t kBlock = 64;  // pixels of a task
  // Where the k channels of a group at pixel `at` of the batch stand in [n groups h w k].
  static std::int64_t place(const RoIGeometry& g, std::int64_t at, std::int64_t group) {
    const std::int64_t pixels = g.h * g.w, image = at / pixels;
    return ((image * g.groups() + group) * pixels + at % pixels) * g.k;
  }

 private:
  const RoIGeometry& g_;
  const T* x_;
  const T* copy_ = nullptr;
};

// Gradient by the map. A task owns some rows of one group of one image, and adds what the bins
// spread there, in the order of the regions: add(image, group, rows, view, held). `held` counts the
// terms of a place, which is one of `parts` even parts of the channels of a pixel of these rows.
template <class T, class F>
void own_rows(const RoIGeometry& g, std::int64_t parts, T* dx, Workspace& workspace, F&& add) {
  const std::int64_t groups = g.groups(), pixels = g.h * g.w;
  const std::int64_t height = groups >= 8 ? std::max<std::int64_t>(g.h, 1) : 8;
  const std::int64_t bands = (g.h + height - 1) / height;
  T* const sums = groups == 1 ? dx : workspace.take<T>(g.n * pixels * g.c);
  parallel_for(g.n * groups * bands, [&](std::int64_t task) {
    const std::int64_t band = task % bands, map = task / bands;
    const PixelRange rows{band * height, std::min(g.h, (band + 1) * height)};
    T* const base = sums + map * pixels * g.k;
    std::fill(base + rows.begin * g.w * g.k, base + rows.end * g.w * g.k, T(0));
    HeldSums<T> held(base + rows.begin * g.w * g.k, (rows.end - rows.begin) * g.w * parts,
                     g.k / parts, g.k / parts);
    add(map / groups, map % groups, rows, MapView<T>{base, g.w, g.k, 1}, held);
    held.finish();
  });
  if (groups == 1) return;
  parallel_blocks(g.n * pixels, GroupedMap<T>::kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at)
      for (std::int64_t group = 0; group < groups; ++group) {
        const T* const from = sums + GroupedMap<T>::place(g, at, group);
        T* const to = dx + at * g.c + group;
        for (std::int64_t o = 0; o < g.k; ++o) to[o * groups] = from[o];
      }
  });
}

// Calls f(r, i, j) for the bins of a group, in order, of the regions of an image.
template <class T, class F>
void each_bin_of(const RoIGeometry& g, const T* rois, std::int64_t image, std::int64_t group,
                 F&& f) {
  std::vector<std::pair<std::int64_t, std::int64_t>> bins;
  for (std::int64_t i = 0; i < g.p; ++i)
    for (std::int64_t j = 0; j < g.q; ++j)
      if (g.group(i, j) == group) bins.emplace_back(i, j);
  for (std::int64_t r = 0; r < g.r; ++r) {
    if (static_cast<std::int64_t>(rois[5 * r]) != image) continue;
    for (const auto& [i, j] : bins) f(r, i, j);
  }
}

// Counts a term for each pixel of a window that lies in rows inside.begin .. inside.end-1.
template <class T, class Window>
inline void count_window(HeldSums<T>& held, const MapView<T>& map, const Window& rows,
                         const Window& columns, PixelRange inside, std::int64_t parts = 1,
                         std::int64_t part = 0) {
  for (const auto& row : rows.pixels) {
    if (row.at < inside.begin || row.at >= inside.end) continue;
    const std::int64_t line = (row.at - inside.begin) * map.width;
    for (const auto& column : columns.pixels) held.count((line + column.at) * parts + part);
  }
}

inline bool overlap(PixelRange a, PixelRange b) { return a.begin < b.end && b.begin < a.end; }

}  // namespace pliant::cpu
