// Where the samples of a deformable convolution lie, and its gradients by offsets and masks.
#pragma once

#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/cuda/columns.h>
#include <pliant/cuda/tap_scatter.cuh>

namespace pliant::cuda {

// mask may be null. Passed by value.
template <class T>
struct DeformSamples {
  DeformGeometry g;
  const T* offset;
  const T* mask;

  // The samples of locations begin .. end-1.
  TapRows rows(std::int64_t begin, std::int64_t end) const {
    const Conv2dGeometry& conv = g.conv;
    return {begin, end, conv.p * conv.q, g.offset_groups, conv.r * conv.s, conv.h, conv.w, conv.c};
  }
  __device__ ScaledTap<T> operator()(std::int64_t location, std::int64_t group,
                                     std::int64_t tap) const {
    const Conv2dGeometry& conv = g.conv;
    const std::int64_t pair = deform_pair(g, location, group, tap);
    return {deform_tap(g, location / conv.q % conv.p, location % conv.q, tap / conv.s, tap % conv.s,
                       offset[2 * pair], offset[2 * pair + 1]),
            mask == nullptr ? T(1) : mask[pair]};
  }
  // Calls f(tap, sample) for all taps of a location, one after another.
  template <class F>
  __device__ void each_tap(std::int64_t location, std::int64_t group, F f) const {
    const Conv2dGeometry& conv = g.conv;
    const std::int64_t p = location / conv.q % conv.p, q = location % conv.q;
    const std::int64_t first = deform_pair(g, location, group, 0);
    std::int64_t tap = 0;
    for (std::int64_t r = 0; r < conv.r; ++r)
      for (std::int64_t s = 0; s < conv.s; ++s, ++tap) {
        const T* const pair = offset + 2 * (first + tap);
        f(tap, ScaledTap<T>{deform_tap(g, p, q, r, s, pair[0], pair[1]),
                            mask == nullptr ? T(1) : mask[first + tap]});
      }
  }
};

// The slopes that lie in the columns of a slice.
template <class T>
struct ColumnSlopes {
  ColumnsGeometry cut;
  const T* columns;

  template <int kCount>
  __device__ Vector<Wide<T>, kCount> load(std::int64_t row, std::int64_t tap,
                                          std::int64_t c) const {
    return cuda::load<kCount>(columns + row * cut.width + cut.at(tap, c));
  }
};

// Of depthwise operators: what a channel's sample is worth is, over its filters, dy times weight.
// By tap, or by position of a scope: filters [taps k].
template <class T>
struct FilterSlopes {
  const T *dy, *filters;
  std::int64_t begin, k, of_channel;  // of_channel: filters

  template <int kCount>
  __device__ Vector<T, kCount> load(std::int64_t row, std::int64_t tap, std::int64_t c) const {
    const T* const slope = dy + (begin + row) * k + c * of_channel;
    const T* const filter = filters + tap * k + c * of_channel;
    Vector<T, kCount> sum{};
    const std::int64_t count = kCount > 1 ? 1 : of_channel;
    for (std::int64_t j = 0; j < count; ++j)
      add_products(cuda::load<kCount>(slope + j), cuda::load<kCount>(filter + j), sum);
    return sum;
  }
};

// Of the rows' samples; the slopes do not have the mask in them. doffset and dmask may be null.
template <int kCount, class T, class X, class Slopes>
void deform_offset_gradient(const char* op, const DeformSamples<T>& samples, const TapRows& rows,
                            const X* x, Slopes slopes, T* doffset, T* dmask) {
  each_dots<kCount>(op, rows, samples, slopes, x,
                    [=] __device__(std::int64_t location, std::int64_t group, std::int64_t tap,
                                   const Sums<T, 4>& dots) {
                      const std::int64_t pair = deform_pair(samples.g, location, group, tap);
                      const ScaledTap<T> at = samples(location, group, tap);
                      if (dmask != nullptr) dmask[pair] = apply(at.tap.weight, dots.value);
                      if (doffset == nullptr) return;
                      doffset[2 * pair] = at.scale * apply(at.tap.d_row, dots.value);
                      doffset[2 * pair + 1] = at.scale * apply(at.tap.d_column, dots.value);
                    });
}

}  // namespace pliant::cuda
