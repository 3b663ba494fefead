#include <pliant/core/kernels/dcn.h>

#include <pliant/cuda/tap_scatter.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "dcn";

// Where the samples lie and what they count for. Passed by value.
template <class T>
struct Samples {
  DCNGeometry g;
  const T* offset;
  const T* mask;

  // The samples of locations begin .. end-1.
  TapRows rows(std::int64_t begin, std::int64_t end) const {
    const Conv2dGeometry& conv = g.conv;
    return {begin, end, conv.p * conv.q, conv.groups, g.taps(), conv.h, conv.w, conv.c};
  }
  __device__ std::int64_t masks_at(std::int64_t location, std::int64_t group) const {
    return location * g.masks.location + group * g.masks.group;
  }
  __device__ std::int64_t pairs_at(std::int64_t location, std::int64_t group) const {
    return location * g.offsets.location + group * g.offsets.group;
  }
  __device__ BilinearTap<T> tap(std::int64_t location, std::int64_t group, std::int64_t t) const {
    const T* const pair = offset + pairs_at(location, group) + 2 * t;
    const std::int64_t p = location / g.conv.q % g.conv.p, q = location % g.conv.q;
    return bilinear_tap(dcn_coordinate(g, g.template tap_row<T>(t), p, g.conv.stride_h, pair[1]),
                        dcn_coordinate(g, g.template tap_column<T>(t), q, g.conv.stride_w, pair[0]),
                        g.conv.h, g.conv.w, Border::zeros);
  }
  __device__ ScaledTap<T> operator()(std::int64_t location, std::int64_t group,
                                     std::int64_t t) const {
    const T* const masks = mask + masks_at(location, group);
    return {tap(location, group, t), DCNMask<T>(g, masks)(masks[t])};
  }
};

// kCount neighbouring channels of a location by each thread.
template <int kCount, class T>
void forward(const Samples<T>& samples, const T* x, T* y) {
  const Conv2dGeometry& conv = samples.g.conv;
  const TapRows rows = samples.rows(0, conv.n * conv.p * conv.q);
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    const std::int64_t group = c / rows.group_channels();
    const T* const masks = samples.mask + samples.masks_at(row, group);
    const T* const map = x + rows.map(row) + c;
    const DCNMask<T> value(samples.g, masks);
    Vector<T, kCount> sum{};
    for (std::int64_t t = 0; t < rows.taps; ++t)
      add_scaled(value(masks[t]), read_tap<kCount>(samples.tap(row, group, t), map, rows.c), sum);
    store(sum, y + row * rows.c + c);
  });
}

// dmask are the gradients by what masks are worth; they become those by the masks as they are
// stored.
template <class T>
void through_softmax(const Samples<T>& samples, const TapRows& rows, T* dmask) {
  each(kOp, rows.rows() * rows.groups, [=] __device__(std::int64_t i) {
    const std::int64_t at = samples.masks_at(rows.begin + i / rows.groups, i % rows.groups);
    const T* const masks = samples.mask + at;
    const DCNMask<T> value(samples.g, masks);
    T sum = 0;
    for (std::int64_t t = 0; t < rows.taps; ++t) sum += value(masks[t]) * dmask[at + t];
    for (std::int64_t t = 0; t < rows.taps; ++t)
      dmask[at + t] = value(masks[t]) * (dmask[at + t] - sum);
  });
}

template <int kCount, class T>
void pair_gradient(const Samples<T>& samples, const TapRows& rows, const T* x,
                   const OutputSlopes<T>& slopes, T* doffset, T* dmask) {
  each_dots<kCount>(kOp, rows, samples, slopes, x,
                    [=] __device__(std::int64_t location, std::int64_t group, std::int64_t t,
                                   const Sums<T, 4>& dots) {
                      const ScaledTap<T> at = samples(location, group, t);
                      const T scale = static_cast<T>(samples.g.offset_scale) * at.scale;
                      T* const pair = doffset + samples.pairs_at(location, group) + 2 * t;
                      pair[0] = scale * apply(at.tap.d_column, dots.value);
                      pair[1] = scale * apply(at.tap.d_row, dots.value);
                      dmask[samples.masks_at(location, group) + t] =
                          apply(at.tap.weight, dots.value);
                    });
  if (samples.g.mask_rule == MaskRule::softmax) through_softmax(samples, rows, dmask);
}

template <int kCount, class T>
void gradient(const Samples<T>& samples, const T* x, const T* dy, T* dx, T* doffset, T* dmask) {
  const Conv2dGeometry& conv = samples.g.conv;
  if (dx != nullptr) set_to_zero(kOp, dx, conv.n * conv.h * conv.w * conv.c);
  each_tap_rows(conv.n, samples.rows(0, 0), [&](const TapRows& rows) {
    const OutputSlopes<T> slopes{dy, rows.begin, rows.c};
    if (doffset != nullptr) pair_gradient<kCount>(samples, rows, x, slopes, doffset, dmask);
    if (dx != nullptr) add_to_map<kCount>(kOp, rows, samples, slopes, dx);
  });
}

template <class T>
void forward(const DCNGeometry& g, const T* x, const T* offset, const T* mask, T* y, Workspace&) {
  const Samples<T> samples{g, offset, mask};
  if (are_vectors<T>(g.conv.c / g.conv.groups, x, y))
    forward<kVector<T>>(samples, x, y);
  else
    forward<1>(samples, x, y);
}

template <class T>
void gradient(const DCNGeometry& g, const DCNGradientArgs<T>& args, Workspace&) {
  const Samples<T> samples{g, args.offset, args.mask};
  if (are_vectors<T>(g.conv.c / g.conv.groups, args.x, args.dy, args.dx))
    gradient<kVector<T>>(samples, args.x, args.dy, args.dx, args.doffset, args.dmask);
  else
    gradient<1>(samples, args.x, args.dy, args.dx, args.doffset, args.dmask);
}

}  // namespace

constinit FloatKernel<DCNForward> cuda::dcn_forward{forward, forward};
constinit FloatKernel<DCNGradient> cuda::dcn_gradient{gradient, gradient};

}  // namespace pliant
