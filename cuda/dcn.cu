#include <pliant/core/kernels/dcn.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "dcn";

// What one thread knows of its place. Passed by value.
template <class T>
struct Samples {
  DcnGeometry g;
  const T* offset;
  const T* mask;

  __device__ std::int64_t own() const { return g.conv.c / g.conv.groups; }
  // First element of the map that a location lies in.
  __device__ std::int64_t map(std::int64_t row) const {
    return row / (g.conv.p * g.conv.q) * g.conv.h * g.conv.w * g.conv.c;
  }
  __device__ const T* masks(std::int64_t row, std::int64_t group) const {
    return mask + row * g.masks.location + group * g.masks.group;
  }
  __device__ BilinearTap<T> tap(std::int64_t row, std::int64_t group, std::int64_t t) const {
    const T* const pair = offset + row * g.offsets.location + group * g.offsets.group + 2 * t;
    const std::int64_t p = row / g.conv.q % g.conv.p, q = row % g.conv.q;
    return bilinear_tap(dcn_coordinate(g, g.template tap_row<T>(t), p, g.conv.stride_h, pair[1]),
                        dcn_coordinate(g, g.template tap_column<T>(t), q, g.conv.stride_w, pair[0]),
                        g.conv.h, g.conv.w, Edge::zero_pad);
  }
};

// The four pixels of a tap in one channel; `map` points at that channel of pixel 0.
template <class T>
struct Four {
  T value[4];
  __device__ Four(const BilinearTap<T>& tap, const T* map, std::int64_t c) {
    for (int i = 0; i < 4; ++i)
      value[i] = tap.pixel[i] < 0 ? T(0) : map[std::int64_t{tap.pixel[i]} * c];
  }
};

template <class T>
void forward(const DcnGeometry& g, const T* x, const T* offset, const T* mask, T* y) {
  const Samples<T> samples{g, offset, mask};
  cuda::each(kOp, g.conv.n * g.conv.p * g.conv.q * g.conv.c, [=] __device__(std::int64_t at) {
    const std::int64_t row = at / samples.g.conv.c, c = at % samples.g.conv.c;
    const std::int64_t group = c / samples.own();
    const T* const masks = samples.masks(row, group);
    const DcnMask<T> value(samples.g, masks);
    T sum = 0;
    for (std::int64_t t = 0; t < samples.g.taps(); ++t) {
      const BilinearTap<T> tap = samples.tap(row, group, t);
      sum += value(masks[t]) *
             apply(tap.weight, Four<T>(tap, x + samples.map(row) + c, samples.g.conv.c).value);
    }
    y[at] = sum;
  });
}

// One thread per (location, group): the sums by its offsets and masks.
template <class T>
void pair_gradient(const Samples<T>& samples, const T* x, const T* dy, T* doffset, T* dmask) {
  const std::int64_t groups = samples.g.conv.groups;
  const std::int64_t rows = samples.g.conv.n * samples.g.conv.p * samples.g.conv.q;
  cuda::each(kOp, rows * groups, [=] __device__(std::int64_t at) {
    const DcnGeometry& g = samples.g;
    const std::int64_t row = at / groups, group = at % groups, c = g.conv.c;
    const T* const masks = samples.masks(row, group);
    const DcnMask<T> value(g, masks);
    const T* const map = x + samples.map(row) + group * samples.own();
    const T* const q = dy + row * c + group * samples.own();
    T* const to = dmask + row * g.masks.location + group * g.masks.group;
    T* const pairs = doffset + row * g.offsets.location + group * g.offsets.group;
    T sum = 0;
    for (std::int64_t t = 0; t < g.taps(); ++t) {
      const BilinearTap<T> tap = samples.tap(row, group, t);
      T dots[4] = {};
      for (std::int64_t i = 0; i < samples.own(); ++i) {
        const Four<T> four(tap, map + i, c);
        for (int k = 0; k < 4; ++k) dots[k] += q[i] * four.value[k];
      }
      const T scale = static_cast<T>(g.offset_scale) * value(masks[t]);
      pairs[2 * t] = scale * apply(tap.d_column, dots);
      pairs[2 * t + 1] = scale * apply(tap.d_row, dots);
      to[t] = apply(tap.weight, dots);
      sum += value(masks[t]) * to[t];
    }
    if (g.mask_rule == MaskRule::as_given) return;
    for (std::int64_t t = 0; t < g.taps(); ++t) to[t] = value(masks[t]) * (to[t] - sum);
  });
}

// One thread owns a channel of an image and walks its locations in order, as in map_offsets.
template <class T>
void data_gradient(const Samples<T>& samples, const T* dy, T* dx) {
  const Conv2dGeometry& conv = samples.g.conv;
  cuda::set_to_zero(kOp, dx, conv.n * conv.h * conv.w * conv.c);
  cuda::each(kOp, conv.n * conv.c, [=] __device__(std::int64_t owner) {
    const DcnGeometry& g = samples.g;
    const std::int64_t c = owner % g.conv.c, group = c / samples.own();
    const std::int64_t locations = g.conv.p * g.conv.q, first = owner / g.conv.c * locations;
    T* const map = dx + samples.map(first) + c;
    for (std::int64_t row = first; row < first + locations; ++row) {
      const T* const masks = samples.masks(row, group);
      const DcnMask<T> value(g, masks);
      for (std::int64_t t = 0; t < g.taps(); ++t) {
        const BilinearTap<T> tap = samples.tap(row, group, t);
        const T slope = dy[row * g.conv.c + c] * value(masks[t]);
        for (int k = 0; k < 4; ++k)
          if (tap.pixel[k] >= 0)
            map[std::int64_t{tap.pixel[k]} * g.conv.c] += slope * tap.weight[k];
      }
    }
  });
}

template <class T>
void gradient(const DcnGeometry& g, const T* x, const T* offset, const T* mask, const T* dy, T* dx,
              T* doffset, T* dmask) {
  const Samples<T> samples{g, offset, mask};
  if (doffset != nullptr) pair_gradient(samples, x, dy, doffset, dmask);
  if (dx != nullptr) data_gradient(samples, dy, dx);
}

}  // namespace

void cuda::dcn_forward(const DcnGeometry& g, const float* x, const float* offset, const float* mask,
                       float* y, Workspace&) {
  forward(g, x, offset, mask, y);
}

void cuda::dcn_forward(const DcnGeometry& g, const double* x, const double* offset,
                       const double* mask, double* y, Workspace&) {
  forward(g, x, offset, mask, y);
}

void cuda::dcn_gradient(const DcnGeometry& g, const float* x, const float* offset,
                        const float* mask, const float* dy, float* dx, float* doffset, float* dmask,
                        Workspace&) {
  gradient(g, x, offset, mask, dy, dx, doffset, dmask);
}

void cuda::dcn_gradient(const DcnGeometry& g, const double* x, const double* offset,
                        const double* mask, const double* dy, double* dx, double* doffset,
                        double* dmask, Workspace&) {
  gradient(g, x, offset, mask, dy, dx, doffset, dmask);
}

}  // namespace pliant
