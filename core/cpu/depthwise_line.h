// The inner loops of depthwise.cpp: one line of pixels, all its channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <pliant/core/cpu/conv2d_taps.h>
#include <pliant/core/cpu/micro_vectors.h>

namespace pliant::cpu {

template <int n>
inline constexpr unsigned long kTimes = n;  // extent of an array

// A vector of channels, or the first `part` of one.
template <class T, bool whole>
micro::Vector<T> load_channels(const T* from, std::int64_t part) {
  if constexpr (whole)
    return *reinterpret_cast<const micro::Vector<T>*>(from);
  else
    return micro::load_part<T>(from, part);
}

template <class T, bool whole>
void store_channels(micro::Vector<T> value, T* to, std::int64_t part) {
  if constexpr (whole)
    *reinterpret_cast<micro::Vector<T>*>(to) = value;
  else
    micro::store_part<T>(value, to, part);
}

// Calls f<NV, whole>(first channel, part) for channels in blocks of two vectors, then at most one
// of one vector and at most one of a part of a vector.
template <class T, class F>
void for_each_vector_block(std::int64_t channels, F&& f) {
  constexpr std::int64_t lanes = micro::kLanes<T>;
  std::int64_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) f.template operator()<2, true>(c, lanes);
  if (c + lanes <= channels) {
    f.template operator()<1, true>(c, lanes);
    c += lanes;
  }
  if (c < channels) f.template operator()<1, false>(c, channels - c);
}

// A tap of every pixel of a line: pixel j reads the source line at column j * step + column.
template <class T>
struct LineTap {
  const T* source;  // column 0 of its line
  const T* weight;  // [channels]
  std::int64_t column;
};
template <class T>
using LineTaps = std::vector<LineTap<T>>;

// A line of results and how it reads its source; all lines have the same channels.
template <class T>
struct TapLine {
  T* to;
  std::int64_t count, to_step;  // pixels, and elements from one to the next
  std::int64_t columns, step;   // of a source line
  std::int64_t channels;
  const T* bias;  // may be null
};

// Pixels [first, first + Q) at NV vectors of channels from c on. All taps lie inside.
template <class T, int Q, int NV, bool whole>
void tap_tile(const TapLine<T>& line, const LineTaps<T>& taps, std::int64_t first, std::int64_t c,
              std::int64_t part) {
  using V = micro::Vector<T>;
  constexpr int lanes = micro::kLanes<T>;
  V sum[kTimes<Q>][kTimes<NV>] = {};
  const std::int64_t step = line.step * line.channels, start = first * step + c;
  for (const LineTap<T>& tap : taps) {
    const T* from = tap.source + tap.column * line.channels + start;
    V weight[kTimes<NV>];
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v)
      weight[v] = load_channels<T, whole>(tap.weight + c + v * lanes, part);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q, from += step)
#pragma GCC unroll 2
      for (int v = 0; v < NV; ++v)
        sum[q][v] =
            micro::fused(load_channels<T, whole>(from + v * lanes, part), weight[v], sum[q][v]);
  }
  T* to = line.to + first * line.to_step + c;
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q, to += line.to_step)
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) {
      if (line.bias != nullptr)
        sum[q][v] += load_channels<T, whole>(line.bias + c + v * lanes, part);
      store_channels<T, whole>(sum[q][v], to + v * lanes, part);
    }
}

template <class T, int Q>
void tap_pixels(const TapLine<T>& line, const LineTaps<T>& taps, std::int64_t first);

inline constexpr std::size_t kTapRun = 64;  // taps that are summed in T

// tap_pixels() of more taps than two runs: sums of runs are added up in double.
template <class T, int Q>
void tap_pixels_in_runs(const TapLine<T>& line, const LineTaps<T>& taps, std::int64_t first) {
  const std::int64_t channels = line.channels;
  std::vector<T> part(static_cast<std::size_t>(Q * channels));
  std::vector<double> sum(part.size());
  const TapLine<T> into{part.data(), Q, channels, line.columns, line.step, channels, nullptr};
  LineTaps<T> run;
  for (std::size_t at = 0; at < taps.size(); at += kTapRun) {
    const std::size_t count = std::min(kTapRun, taps.size() - at);
    run.assign(taps.data() + at, taps.data() + at + count);
    for (LineTap<T>& tap : run) tap.column += first * line.step;
    tap_pixels<T, Q>(into, run, 0);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(part[i]);
  }
  for (std::int64_t q = 0; q < Q; ++q)
    for (std::int64_t c = 0; c < channels; ++c) {
      const double bias = line.bias == nullptr ? 0 : static_cast<double>(line.bias[c]);
      line.to[(first + q) * line.to_step + c] =
          static_cast<T>(sum[static_cast<std::size_t>(q * channels + c)] + bias);
    }
}

// All channels of pixels [first, first + Q).
template <class T, int Q>
void tap_pixels(const TapLine<T>& line, const LineTaps<T>& taps, std::int64_t first) {
  if (taps.size() > 2 * kTapRun) return tap_pixels_in_runs<T, Q>(line, taps, first);
  for_each_vector_block<T>(line.channels,
                           [&]<int NV, bool whole>(std::int64_t c, std::int64_t part) {
                             tap_tile<T, Q, NV, whole>(line, taps, first, c, part);
                           });
}

// Pixels [first, last), for which all taps lie inside.
template <class T>
void tap_inside(const TapLine<T>& line, const LineTaps<T>& taps, std::int64_t first,
                std::int64_t last) {
  for (; first + 6 <= last; first += 6) tap_pixels<T, 6>(line, taps, first);
  switch (last - first) {
    case 5:
      return tap_pixels<T, 5>(line, taps, first);
    case 4:
      return tap_pixels<T, 4>(line, taps, first);
    case 3:
      return tap_pixels<T, 3>(line, taps, first);
    case 2:
      return tap_pixels<T, 2>(line, taps, first);
    case 1:
      return tap_pixels<T, 1>(line, taps, first);
  }
}

// The whole line: to[j, :] = bias + sum over taps of source[j * step + column, :] * weight[:],
// without the taps that lie outside. `few` is room for the taps of a pixel at the border.
template <class T>
void tap_line(const TapLine<T>& line, const LineTaps<T>& taps, LineTaps<T>& few) {
  Interval all{0, line.count};
  for (const LineTap<T>& tap : taps) {
    all = inside(all, line.step, tap.column, line.columns);
    all.end = std::max(all.begin, all.end);
  }
  all = {std::min(all.begin, line.count), std::min(all.end, line.count)};
  const auto border = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t pixel = first; pixel < last; ++pixel) {
      few.clear();
      for (const LineTap<T>& tap : taps) {
        const std::int64_t column = pixel * line.step + tap.column;
        if (column >= 0 && column < line.columns) few.push_back(tap);
      }
      tap_pixels<T, 1>(line, few, pixel);
    }
  };
  border(0, all.begin);
  tap_inside(line, taps, all.begin, all.end);
  border(all.end, line.count);
}

// For the weight gradient: a line of dY and the line of x that one row of taps reads. Pixel j of dY
// meets, through tap s, pixel j * step + column + s * dilation of x.
template <class T>
struct PairLine {
  const T* x;
  const T* dy;
  std::int64_t columns, step, column, dilation, channels;
};

// sum[s, c...] += sum over pixels of x * dy for S taps from `tap` on, all of which lie inside.
template <class T, int S, int NV, bool whole>
void pair_tile(const PairLine<T>& line, std::int64_t tap, Interval pixels, std::int64_t c,
               std::int64_t part, T* sum) {
  using V = micro::Vector<T>;
  constexpr int lanes = micro::kLanes<T>;
  V total[kTimes<S>][kTimes<NV>] = {};
  const std::int64_t between = line.dilation * line.channels, step = line.step * line.channels;
  const T* x =
      line.x + pixels.begin * step + (line.column + tap * line.dilation) * line.channels + c;
  const T* dy = line.dy + pixels.begin * line.channels + c;
  for (std::int64_t j = pixels.begin; j < pixels.end; ++j, x += step, dy += line.channels) {
    V right[kTimes<NV>];
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) right[v] = load_channels<T, whole>(dy + v * lanes, part);
#pragma GCC unroll 4
    for (int s = 0; s < S; ++s)
#pragma GCC unroll 2
      for (int v = 0; v < NV; ++v)
        total[s][v] = micro::fused(load_channels<T, whole>(x + s * between + v * lanes, part),
                                   right[v], total[s][v]);
  }
  sum += tap * line.channels + c;
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s, sum += line.channels)
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v)
      store_channels<T, whole>(total[s][v] + load_channels<T, whole>(sum + v * lanes, part),
                               sum + v * lanes, part);
}

template <class T, int S>
void pair_channels(const PairLine<T>& line, std::int64_t tap, Interval pixels, T* sum) {
  if (pixels.size() == 0) return;
  for_each_vector_block<T>(line.channels,
                           [&]<int NV, bool whole>(std::int64_t c, std::int64_t part) {
                             pair_tile<T, S, NV, whole>(line, tap, pixels, c, part, sum);
                           });
}

// Some pixels of the line for S taps, each of which leaves out the pixels for which it lies
// outside: those common to all are summed together.
template <class T, int S>
void pair_taps(const PairLine<T>& line, std::int64_t tap, Interval pixels, T* sum) {
  const auto reach = [&](std::int64_t s) {
    return inside(pixels, line.step, line.column + (tap + s) * line.dilation, line.columns);
  };
  const std::int64_t begin = std::min(reach(0).begin, pixels.end);
  const std::int64_t end = std::max(begin, reach(S - 1).end);
  pair_channels<T, S>(line, tap, {begin, end}, sum);
  if constexpr (S > 1)
    for (int s = 0; s < S; ++s) {
      const Interval own = reach(s);
      pair_channels<T, 1>(line, tap + s, {own.begin, std::min(begin, own.end)}, sum);
      pair_channels<T, 1>(line, tap + s, {std::max(end, own.begin), own.end}, sum);
    }
}

// sum [taps, channels] += what some pixels of the line add to a row of the gradient.
template <class T>
void pair_line(const PairLine<T>& line, std::int64_t taps, Interval pixels, T* sum) {
  std::int64_t tap = 0;
  for (; taps - tap > 4; tap += 3) pair_taps<T, 3>(line, tap, pixels, sum);
  switch (taps - tap) {
    case 4:
      return pair_taps<T, 4>(line, tap, pixels, sum);
    case 3:
      return pair_taps<T, 3>(line, tap, pixels, sum);
    case 2:
      return pair_taps<T, 2>(line, tap, pixels, sum);
    case 1:
      return pair_taps<T, 1>(line, tap, pixels, sum);
  }
}

}  // namespace pliant::cpu
