#include <pliant/cuda/deform_depthwise.h>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/depthwise.h>
#include <pliant/cuda/deform_samples.cuh>

namespace pliant {
namespace {

using namespace cuda;

// kCount neighbouring filters of a location by each thread; with more than one filter a channel,
// kCount is 1. filters [taps k].
template <int kCount, class T>
void forward(const char* op, const DeformSamples<T>& samples, const T* x, const T* filters,
             const T* bias, T* y) {
  const Conv2dGeometry conv = samples.g.conv;
  const TapRows rows = samples.rows(0, conv.n * conv.p * conv.q);
  const std::int64_t blocks = conv.k / kCount;
  each(op, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, k = i % blocks * kCount, c = k / (conv.k / conv.c);
    const std::int64_t group = c / rows.group_channels();
    const T* const map = x + rows.map(row) + c;
    Vector<T, kCount> sum{};
    if (bias != nullptr) sum = load<kCount>(bias + k);
    samples.each_tap(row, group, [&](std::int64_t t, const ScaledTap<T>& at) {
      Vector<T, kCount> scaled{};
      add_scaled(at.scale, read_tap<kCount>(at.tap, map, rows.c), scaled);
      add_products(scaled, load<kCount>(filters + t * conv.k + k), sum);
    });
    store(sum, y + row * conv.k + k);
  });
}

template <int kCount, class T>
void input_gradient(const char* op, const DeformSamples<T>& samples, const T* x, const T* filters,
                    const T* dy, T* dx, T* doffset, T* dmask) {
  const Conv2dGeometry& conv = samples.g.conv;
  if (dx != nullptr) set_to_zero(op, dx, conv.n * conv.h * conv.w * conv.c);
  each_tap_rows(conv.n, samples.rows(0, 0), [&](const TapRows& rows) {
    const FilterSlopes<T> slopes{dy, filters, rows.begin, conv.k, conv.k / conv.c};
    if (doffset != nullptr || dmask != nullptr)
      deform_offset_gradient<kCount>(op, samples, rows, x, slopes, doffset, dmask);
    if (dx != nullptr) add_to_map<kCount>(op, rows, samples, slopes, dx);
  });
}

// The sums of runs of locations, partial [runs taps k].
template <int kCount, class T>
void gradient_of_runs(const char* op, const DeformSamples<T>& samples, std::int64_t run,
                      std::int64_t runs, const T* x, const T* dy, T* partial) {
  const Conv2dGeometry conv = samples.g.conv;
  const TapRows rows = samples.rows(0, conv.n * conv.p * conv.q);
  const std::int64_t blocks = conv.k / kCount;
  each(op, runs * rows.taps * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t k = i % blocks * kCount, t = i / blocks % rows.taps;
    const std::int64_t begin = i / blocks / rows.taps * run, c = k / (conv.k / conv.c);
    const std::int64_t end = std::min(rows.rows(), begin + run);
    Vector<T, kCount> sum{};
    for (std::int64_t row = begin; row < end; ++row) {
      const ScaledTap<T> at = samples(row, c / rows.group_channels(), t);
      Vector<T, kCount> scaled{};
      add_scaled(at.scale, read_tap<kCount>(at.tap, x + rows.map(row) + c, rows.c), scaled);
      add_products(scaled, load<kCount>(dy + row * conv.k + k), sum);
    }
    store(sum, partial + i * kCount);
  });
}

template <int kCount, class T>
void weight_gradient(const char* op, const DeformSamples<T>& samples, const T* x, const T* dy,
                     T* dweight, Workspace& workspace) {
  constexpr std::int64_t kShortest = 64;
  const Conv2dGeometry& conv = samples.g.conv;
  const std::int64_t taps = conv.r * conv.s, filters = taps * conv.k;
  const std::int64_t run = std::max(kShortest, taps);
  const std::int64_t runs = (conv.n * conv.p * conv.q + run - 1) / run;
  T* const partial = workspace.take<T>(runs * filters);
  T* const by_tap = workspace.take<T>(filters);
  gradient_of_runs<kCount>(op, samples, run, runs, x, dy, partial);
  sum_forward(ReduceGeometry{1, runs, filters}, partial, by_tap, workspace);
  swap_axes(op, taps, conv.k, by_tap, dweight);
}

// Whether threads may take vectors of filters, which read as many channels of one offset group.
template <class T, class... Pointers>
bool in_vectors(const DeformGeometry& g, const Pointers*... rows) {
  return g.conv.k == g.conv.c && are_vectors<T>(g.conv.c / g.offset_groups, rows...);
}

}  // namespace

template <class T>
void cuda::deform_depthwise_forward(const char* op, const DeformGeometry& g, const T* x,
                                    const T* offset, const T* mask, const T* weight, const T* bias,
                                    T* y, Workspace& workspace) {
  const DeformSamples<T> samples{g, offset, mask};
  const T* const filters = filters_by_tap(op, g.conv, weight, workspace);
  if (in_vectors<T>(g, x, filters, bias, y))
    forward<kVector<T>>(op, samples, x, filters, bias, y);
  else
    forward<1>(op, samples, x, filters, bias, y);
}

template <class T>
void cuda::deform_depthwise_gradient(const char* op, const DeformGeometry& g, const T* x,
                                     const T* offset, const T* mask, const T* weight, const T* dy,
                                     T* dx, T* doffset, T* dmask, T* dweight,
                                     Workspace& workspace) {
  const DeformSamples<T> samples{g, offset, mask};
  const bool vectors = in_vectors<T>(g, x, dy, dx);
  if (dx != nullptr || doffset != nullptr || dmask != nullptr) {
    const T* const filters = filters_by_tap(op, g.conv, weight, workspace);
    if (vectors)
      input_gradient<kVector<T>>(op, samples, x, filters, dy, dx, doffset, dmask);
    else
      input_gradient<1>(op, samples, x, filters, dy, dx, doffset, dmask);
  }
  if (dweight == nullptr) return;
  if (vectors)
    weight_gradient<kVector<T>>(op, samples, x, dy, dweight, workspace);
  else
    weight_gradient<1>(op, samples, x, dy, dweight, workspace);
}

template void cuda::deform_depthwise_forward(const char*, const DeformGeometry&, const float*,
                                             const float*, const float*, const float*, const float*,
                                             float*, Workspace&);
template void cuda::deform_depthwise_forward(const char*, const DeformGeometry&, const double*,
                                             const double*, const double*, const double*,
                                             const double*, double*, Workspace&);
template void cuda::deform_depthwise_gradient(const char*, const DeformGeometry&, const float*,
                                              const float*, const float*, const float*,
                                              const float*, float*, float*, float*, float*,
                                              Workspace&);
template void cuda::deform_depthwise_gradient(const char*, const DeformGeometry&, const double*,
                                              const double*, const double*, const double*,
                                              const double*, double*, double*, double*, double*,
                                              Workspace&);

}  // namespace pliant
