// The walks over the locations and taps of a deformable convolution, shared by its CPU kernels:
// gathering samples into columns, and spreading the columns' gradient over x, offset and mask.
// Nothing here is called from outside core/kernels/deform_conv*.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <pliant/core/kernels/deform_conv.h>

namespace pliant::cpu {

// Sixteen floats or eight doubles, and a quarter of that.
template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(64)));
  typedef T quarter __attribute__((vector_size(16)));
};

// Elements may lie anywhere, so vectors are copied in and out. They go by reference: how one is
// passed by value differs between instruction sets.
template <class V, class T>
void load(const T* p, V& v) {
  std::memcpy(&v, p, sizeof(V));
}
template <class V, class T>
void store(const V& v, T* p) {
  std::memcpy(p, &v, sizeof(V));
}

// A range of taps (r * S + s) or of channels.
struct Range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

// How the weights connect channels; each form has its own products.
enum class ConvForm : unsigned char { dense, depthwise, grouped };

inline ConvForm conv_form(const Conv2dGeometry& g) {
  if (g.groups == 1) return ConvForm::dense;
  return g.groups == g.c && g.groups == g.k ? ConvForm::depthwise : ConvForm::grouped;
}

// Rows of a tile whose rows take `row_bytes` of scratch: a multiple of 64, about half of a usual
// second-level cache.
inline std::int64_t deform_tile_rows(std::int64_t row_bytes) {
  constexpr std::int64_t kBytes = 448 * 1024;
  return std::clamp<std::int64_t>(kBytes / std::max<std::int64_t>(row_bytes, 1) / 64, 1, 4) * 64;
}

template <class T>
struct DeformSource {
  const DeformGeometry& geometry;
  const T* x;
  const T* offset;
  const T* mask;   // may be null
  const T* zeros;  // [c]: what a neighbour outside the map reads

  std::int64_t taps() const { return geometry.conv.r * geometry.conv.s; }
  std::int64_t locations() const { return geometry.conv.p * geometry.conv.q; }  // of one image
  std::int64_t rows() const { return geometry.conv.n * locations(); }
  std::int64_t group_channels() const { return geometry.conv.c / geometry.offset_groups; }
  std::int64_t image_size() const { return geometry.conv.h * geometry.conv.w * geometry.conv.c; }
};

// Calls f(row, pair, tap, channels, sample, mask) for every row (location of the whole batch),
// offset group that shares channels with `channels` and tap, in this order.
template <class T, class F>
inline void for_each_sample(const DeformSource<T>& source, Range rows, Range taps, Range channels,
                            F&& f) {
  const DeformGeometry& g = source.geometry;
  const std::int64_t group_channels = source.group_channels();
  const Range groups{channels.begin / group_channels, (channels.end - 1) / group_channels + 1};
  std::int64_t p = rows.begin / g.conv.q % g.conv.p, q = rows.begin % g.conv.q;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    for (std::int64_t group = groups.begin; group < groups.end; ++group) {
      const Range owned{std::max(channels.begin, group * group_channels),
                        std::min(channels.end, (group + 1) * group_channels)};
      std::int64_t r = taps.begin / g.conv.s, s = taps.begin % g.conv.s;
      for (std::int64_t tap = taps.begin; tap < taps.end; ++tap) {
        const std::int64_t pair = deform_pair(g, row, group, tap);
        f(row, pair, tap, owned,
          deform_tap(g, p, q, r, s, source.offset[2 * pair], source.offset[2 * pair + 1]),
          source.mask == nullptr ? T(1) : source.mask[pair]);
        if (++s == g.conv.s) s = 0, ++r;
      }
    }
    if (++q == g.conv.q) q = 0, p = p + 1 == g.conv.p ? 0 : p + 1;
  }
}

// to[c] = sum over i of weight[i] * from[i][c].
template <class T>
inline void blend(const T* const (&from)[4], const T (&weight)[4], std::int64_t count, T* to) {
  using Vector = typename VectorOf<T>::type;
  using Quarter = typename VectorOf<T>::quarter;
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(T), kFew = kLanes / 4;
  const auto step = [&]<class V>(std::int64_t c, V*) {
    V v[4];
    for (int i = 0; i < 4; ++i) load(from[i] + c, v[i]);
    const V sum = v[0] * weight[0] + v[1] * weight[1] + (v[2] * weight[2] + v[3] * weight[3]);
    store(sum, to + c);
  };
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) step(c, static_cast<Vector*>(nullptr));
  for (; c + kFew <= count; c += kFew) step(c, static_cast<Quarter*>(nullptr));
  for (; c < count; ++c)
    to[c] = from[0][c] * weight[0] + from[1][c] * weight[1] +
            (from[2][c] * weight[2] + from[3][c] * weight[3]);
}

// columns [rows][taps][c]: the samples, times their mask.
template <class T>
inline void gather_columns(const DeformSource<T>& source, Range rows, Range taps, T* columns) {
  const std::int64_t c = source.geometry.conv.c, locations = source.locations();
  for (std::int64_t first = rows.begin; first < rows.end;) {  // one stretch per image
    const std::int64_t image = first / locations;
    const Range stretch{first, std::min(rows.end, (image + 1) * locations)};
    const T* const x = source.x + image * source.image_size();
    for_each_sample(source, stretch, taps, {0, c},
                    [&](std::int64_t row, std::int64_t, std::int64_t tap, Range channels,
                        const BilinearTap<T>& sample, T mask) {
                      const T* from[4];
                      T weight[4];
                      for (int i = 0; i < 4; ++i) {
                        from[i] = sample.pixel[i] < 0 ? source.zeros
                                                      : x + sample.pixel[i] * c + channels.begin;
                        weight[i] = sample.weight[i] * mask;
                      }
                      const std::int64_t at = (row - rows.begin) * taps.size() + (tap - taps.begin);
                      blend(from, weight, channels.size(), columns + at * c + channels.begin);
                    });
    first = stretch.end;
  }
}

// Where spread_columns() writes; each of dx, doffset, dmask may be null.
template <class T>
struct DeformGradients {
  T* dx;       // the whole map, added to
  T* doffset;  // overwritten, pair by pair
  T* dmask;
  T* waste;  // [c]: takes what belongs to neighbours outside the map
};

// Sums each of four vectors over its lanes.
template <class T>
inline void sum_lanes(const typename VectorOf<T>::type (&vectors)[4], T (&sums)[4]) {
  constexpr std::size_t kLanes = sizeof(vectors[0]) / sizeof(T);
  T lanes[4][kLanes];
  std::memcpy(lanes, vectors, sizeof(lanes));
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < 4; ++i)
      for (std::size_t l = 0; l < width; ++l) lanes[i][l] += lanes[i][l + width];
  for (int i = 0; i < 4; ++i) sums[i] = lanes[i][0];
}

// One sample backwards. q [count] is the gradient of the sample before its mask:
// to[i][c] += weight[i] * q[c] (kScatter), dots[i] = sum over c of q[c] * from[i][c] (kDot).
template <bool kScatter, bool kDot, class T>
inline void spread(const T* q, const T* const (&from)[4], T* const (&to)[4], const T (&weight)[4],
                   std::int64_t count, T (&dots)[4]) {
  using Vector = typename VectorOf<T>::type;
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(T);
  Vector sums[4] = {};
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) {
    Vector gradient, v;
    load(q + c, gradient);
    for (int i = 0; i < 4; ++i) {
      if constexpr (kDot) {
        load(from[i] + c, v);
        sums[i] += gradient * v;
      }
      if constexpr (kScatter) {
        load(to[i] + c, v);
        v += gradient * weight[i];
        store(v, to[i] + c);
      }
    }
  }
  if constexpr (kDot) sum_lanes<T>(sums, dots);
  for (; c < count; ++c)
    for (int i = 0; i < 4; ++i) {
      if constexpr (kDot) dots[i] += q[c] * from[i][c];
      if constexpr (kScatter) to[i][c] += q[c] * weight[i];
    }
}

// Spreads columns_gradient [rows][taps][channels], all rows of one image, over that image's part
// of the gradients. Whoever calls it owns these channels of the image.
template <bool kScatter, bool kDot, class T>
inline void spread_columns(const DeformSource<T>& source, Range rows, Range channels,
                           const T* columns_gradient, const DeformGradients<T>& to) {
  const std::int64_t c = source.geometry.conv.c, taps = source.taps();
  const std::int64_t image = rows.begin / source.locations() * source.image_size();
  for_each_sample(source, rows, {0, taps}, channels,
                  [&](std::int64_t row, std::int64_t pair, std::int64_t tap, Range owned,
                      const BilinearTap<T>& sample, T mask) {
                    const T* from[4];
                    T* target[4];
                    T weight[4], dots[4] = {};
                    for (int i = 0; i < 4; ++i) {
                      const std::int64_t at = image + sample.pixel[i] * c + owned.begin;
                      from[i] = sample.pixel[i] < 0 ? source.zeros : source.x + at;
                      target[i] = !kScatter || sample.pixel[i] < 0 ? to.waste : to.dx + at;
                      weight[i] = sample.weight[i] * mask;
                    }
                    const T* const q = columns_gradient +
                                       ((row - rows.begin) * taps + tap) * channels.size() +
                                       (owned.begin - channels.begin);
                    spread<kScatter, kDot>(q, from, target, weight, owned.size(), dots);
                    if (!kDot) return;
                    if (to.dmask != nullptr) to.dmask[pair] = apply(sample.weight, dots);
                    if (to.doffset == nullptr) return;
                    to.doffset[2 * pair] = mask * apply(sample.d_row, dots);
                    to.doffset[2 * pair + 1] = mask * apply(sample.d_column, dots);
                  });
}

}  // namespace pliant::cpu
