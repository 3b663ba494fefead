// The way back through the samples of a deformable convolution: their gradient is spread over the
// pixels that they were made of, and its dot products with these give the offsets' and the mask's.
// Nothing here is called from outside core/kernels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/held_sums.h>

namespace pliant::cpu {

// Where spread_columns() writes; each of dx, doffset, dmask may be null.
template <class T>
struct DeformGradients {
  T* dx;              // the whole map, added to
  HeldSums<T>* held;  // of the pixels of the image under way; with dx
  T* doffset;         // overwritten, pair by pair
  T* dmask;
  T* waste;    // [c]: takes what belongs to neighbours outside the map
  T* columns;  // the samples on the way, as gather_columns() makes them; may be null too
};

// The four neighbours of a sample side by side. Sums over them are written with vectors, because
// the compiler may fuse scalar products and sums, or not, as it likes in each place that they go
// to; the bits are to be the same whatever else is asked for.
template <class T>
using Four = Vector<T, 4 * sizeof(T)>;

template <class T>
inline T sum_of(const Four<T>& four) {
  return (four[0] + four[1]) + (four[2] + four[3]);
}

// Sums each of four vectors over its lanes, halving them with vector additions.
template <class T>
inline void sum_lanes(const Vector<T> (&vectors)[4], T (&sums)[4]) {
  constexpr std::size_t kParts = sizeof(vectors[0]) / (4 * sizeof(T));
  for (int i = 0; i < 4; ++i) {
    Four<T> part[kParts];
    std::memcpy(part, &vectors[i], sizeof(part));
    Four<T> four = part[0] + part[1];
    if constexpr (kParts == 4) four += part[2] + part[3];
    sums[i] = sum_of<T>(four);
  }
}

// One sample backwards. q [count] is the gradient of the sample before its mask:
// to[i][c] += weight[i] * q[c] (kScatter), dots[i] = sum over c of q[c] * from[i][c] (kDot),
// sample[c] = what blend() makes (kSample).
template <bool kScatter, bool kDot, bool kSample = false, class T>
inline void spread(const T* q, const T* const (&from)[4], T* const (&to)[4], const T (&weight)[4],
                   std::int64_t count, T (&dots)[4], T* sample = nullptr) {
  using Whole = Vector<T>;
  constexpr std::int64_t kLanes = sizeof(Whole) / sizeof(T);
  Whole sums[4] = {};
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) {
    Whole gradient{}, v[4], sum;
    if constexpr (kScatter || kDot) load(q + c, gradient);
    for (int i = 0; i < 4; ++i) {
      if constexpr (kDot || kSample) load(from[i] + c, v[i]);
      if constexpr (kDot) sums[i] += gradient * v[i];
      if constexpr (kScatter) {
        load(to[i] + c, sum);
        sum += gradient * weight[i];
        store(sum, to[i] + c);
      }
    }
    if constexpr (kSample) store(blended(v, weight), sample + c);
  }
  if constexpr (kDot) sum_lanes<T>(sums, dots);
  Four<T> rest{};
  for (; c < count; ++c) {
    T v[4];
    for (int i = 0; i < 4; ++i) {
      if constexpr (kDot || kSample) v[i] = from[i][c];
      if constexpr (kScatter) to[i][c] += q[c] * weight[i];
    }
    if constexpr (kDot) rest += q[c] * Four<T>{v[0], v[1], v[2], v[3]};
    if constexpr (kSample) sample[c] = blended(v, weight);
  }
  if constexpr (kDot)
    for (int i = 0; i < 4; ++i) dots[i] += rest[i];
}

// dots[i] = sum over c of q[c] * from[i][c].
template <class T>
inline void dot_rows(const T* q, const T* const (&from)[4], std::int64_t count, T (&dots)[4]) {
  T* const none[4] = {};
  const T weight[4] = {};
  spread<false, true>(q, from, none, weight, count, dots);
}

// Spreads columns_gradient [rows][blocks][taps][block], all rows of one image, over that image's
// part of the gradients. Whoever calls it owns these channels of the image.
template <bool kScatter, bool kDot, bool kSample = false, class T>
inline void spread_columns(const DeformSource<T>& source, Range rows, Range channels,
                           const ColumnLayout& layout, const T* columns_gradient,
                           const DeformGradients<T>& to) {
  const std::int64_t c = source.geometry.conv.c;
  const std::int64_t image = rows.begin / source.locations() * source.image_size();
  const auto spread_one = [&](const SamplePlace& place, const SampleBatch<T>& batch,
                              std::int64_t i) {
    T weight[4], dots[4] = {};
    for (int j = 0; j < 4; ++j) weight[j] = batch.weight[j][i] * batch.mask[i];
    const std::int64_t local = (place.row - rows.begin) * layout.width();
    const T* const row = columns_gradient + local;
    T* const samples = kSample ? to.columns + local : nullptr;
    if constexpr (kScatter)
      to.held->count_square(
          {batch.pixel[0][i], batch.pixel[1][i], batch.pixel[2][i], batch.pixel[3][i]},
          source.geometry.conv.w);
    for_each_block(layout, channels.begin, place.channels, place.tap,
                   [&](std::int64_t begin, std::int64_t size, std::int64_t at) {
                     const T* from[4];
                     T* target[4];
                     for (int j = 0; j < 4; ++j) {
                       const std::int64_t pixel = batch.pixel[j][i], p = image + pixel * c + begin;
                       from[j] = pixel < 0 ? source.zeros : source.x + p;
                       target[j] = !kScatter || pixel < 0 ? to.waste : to.dx + p;
                     }
                     T part[4] = {};
                     spread<kScatter, kDot, kSample>(row + at, from, target, weight, size, part,
                                                     kSample ? samples + at : nullptr);
                     for (int j = 0; j < 4; ++j) dots[j] += part[j];
                   });
    if (!kDot) return;
    const auto sum_by = [&](const auto& factors) {
      return sum_of<T>(Four<T>{factors[0][i], factors[1][i], factors[2][i], factors[3][i]} *
                       Four<T>{dots[0], dots[1], dots[2], dots[3]});
    };
    if (to.dmask != nullptr) to.dmask[place.pair] = sum_by(batch.weight);
    if (to.doffset == nullptr) return;
    to.doffset[2 * place.pair] = batch.mask[i] * sum_by(batch.d_row);
    to.doffset[2 * place.pair + 1] = batch.mask[i] * sum_by(batch.d_column);
  };
  for_each_sample(source, rows, {0, layout.positions}, channels, spread_one);
}

// The same for those of dx, doffset, dmask and the columns that are not null.
template <class T>
void spread_columns(const DeformSource<T>& source, Range rows, Range channels,
                    const ColumnLayout& layout, const T* columns_gradient,
                    const DeformGradients<T>& to) {
  const bool dot = to.doffset != nullptr || to.dmask != nullptr;
  const auto run = [&]<bool kScatter, bool kDot, bool kSample>() {
    spread_columns<kScatter, kDot, kSample>(source, rows, channels, layout, columns_gradient, to);
  };
  const auto choose = [&]<bool kSample>() {
    if (to.dx != nullptr && dot)
      run.template operator()<true, true, kSample>();
    else if (to.dx != nullptr)
      run.template operator()<true, false, kSample>();
    else if (dot)
      run.template operator()<false, true, kSample>();
    else if constexpr (kSample)
      run.template operator()<false, false, true>();
  };
  if (to.columns != nullptr)
    choose.template operator()<true>();
  else
    choose.template operator()<false>();
}

// Some channels of an image of dx: zeros, where sums begin. None if dx is null.
template <class T>
HeldSums<T> sums_in(const Conv2dGeometry& g, std::int64_t image, Range channels, T* dx) {
  if (dx == nullptr) return HeldSums<T>(nullptr, 0, 0, 0);
  const std::int64_t pixels = g.h * g.w;
  T* const map = dx + image * pixels * g.c + channels.begin;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    std::fill_n(map + pixel * g.c, channels.size(), T(0));
  return HeldSums<T>(map, pixels, channels.size(), g.c);
}

}  // namespace pliant::cpu
