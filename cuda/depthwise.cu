#include <pliant/cuda/depthwise.h>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant {
namespace {

using namespace cuda;

// From one image's filters to the next one's.
std::int64_t filters_stride(const Conv2dGeometry& g, Sharing weights) {
  return weights == Sharing::shared ? 0 : g.r * g.s * g.k;
}

// kCount neighbouring filters of a location by each thread; with more than one filter a channel,
// kCount is 1.
template <int kCount, class T>
void forward(const char* op, const Conv2dGeometry& g, std::int64_t stride, const T* x,
             const T* weight, const T* bias, T* y) {
  const std::int64_t blocks = g.k / kCount;
  each(op, g.n * g.p * g.q * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t k = i % blocks * kCount, location = i / blocks;
    const std::int64_t q = location % g.q, p = location / g.q % g.p, n = location / g.q / g.p;
    const T* const map = x + n * g.h * g.w * g.c + k / (g.k / g.c);
    const T* const filters = weight + n * stride + k;
    Vector<T, kCount> sum{};
    if (bias != nullptr)
      for (int j = 0; j < kCount; ++j) sum.value[j] = bias[k + j];
    for (std::int64_t r = 0; r < g.r; ++r) {
      const std::int64_t row = g.row(p, r);
      if (row < 0 || row >= g.h) continue;
      for (std::int64_t s = 0; s < g.s; ++s) {
        const std::int64_t column = g.column(q, s);
        if (column < 0 || column >= g.w) continue;
        add_products(load<kCount>(map + (row * g.w + column) * g.c),
                     load<kCount>(filters + (r * g.s + s) * g.k), sum);
      }
    }
    store(sum, y + location * g.k + k);
  });
}

// Each pixel looks for the locations that read it.
template <int kCount, class T>
void data_gradient(const char* op, const Conv2dGeometry& g, std::int64_t stride, const T* dy,
                   const T* weight, T* dx) {
  const std::int64_t blocks = g.c / kCount;
  each(op, g.n * g.h * g.w * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % blocks * kCount, pixel = i / blocks;
    const std::int64_t w = pixel % g.w, h = pixel / g.w % g.h, n = pixel / g.w / g.h;
    const std::int64_t of_channel = g.k / g.c, first = c * of_channel;  // filters
    Vector<T, kCount> sum{};
    for (std::int64_t r = 0; r < g.r; ++r) {
      const std::int64_t down = h - g.row(0, r), p = down / g.stride_h;
      if (down < 0 || down % g.stride_h != 0 || p >= g.p) continue;
      for (std::int64_t s = 0; s < g.s; ++s) {
        const std::int64_t right = w - g.column(0, s), q = right / g.stride_w;
        if (right < 0 || right % g.stride_w != 0 || q >= g.q) continue;
        const T* const slope = dy + ((n * g.p + p) * g.q + q) * g.k + first;
        const T* const filter = weight + n * stride + (r * g.s + s) * g.k + first;
        for (std::int64_t j = 0; j < of_channel; ++j)
          add_products(load<kCount>(slope + j), load<kCount>(filter + j), sum);
      }
    }
    store(sum, dx + pixel * g.c + c);
  });
}

// The locations are cut into sets (all of them, or those of an image), and each of these into runs.
struct Runs {
  std::int64_t sets, locations, run, runs;  // of a set; of a run, at most; of a set

  // Runs are long enough for their sums to be no more than dy.
  static Runs of(const Conv2dGeometry& g, Sharing weights) {
    constexpr std::int64_t kShortest = 64;
    const bool shared = weights == Sharing::shared;
    const std::int64_t locations = (shared ? g.n : 1) * g.p * g.q;
    const std::int64_t run = std::max(kShortest, g.r * g.s);
    return {shared ? 1 : g.n, locations, run, (locations + run - 1) / run};
  }
};

// The sums of each run, partial [sets runs r s k].
template <int kCount, class T>
void gradient_of_runs(const char* op, const Conv2dGeometry& g, const Runs& cut, const T* x,
                      const T* dy, T* partial) {
  const std::int64_t blocks = g.k / kCount, taps = g.r * g.s;
  each(op, cut.sets * cut.runs * taps * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t k = i % blocks * kCount, tap = i / blocks % taps;
    const std::int64_t run = i / blocks / taps % cut.runs, set = i / blocks / taps / cut.runs;
    const std::int64_t begin = set * cut.locations + run * cut.run;
    const std::int64_t end = set * cut.locations + std::min(cut.locations, (run + 1) * cut.run);
    const T* const map = x + k / (g.k / g.c);
    std::int64_t q = begin % g.q, p = begin / g.q % g.p, n = begin / g.q / g.p;
    Vector<T, kCount> sum{};
    for (std::int64_t location = begin; location < end; ++location) {
      const std::int64_t row = g.row(p, tap / g.s), column = g.column(q, tap % g.s);
      if (row >= 0 && row < g.h && column >= 0 && column < g.w)
        add_products(load<kCount>(map + ((n * g.h + row) * g.w + column) * g.c),
                     load<kCount>(dy + location * g.k + k), sum);
      if (++q < g.q) continue;
      q = 0;
      if (++p < g.p) continue;
      p = 0;
      ++n;
    }
    store(sum, partial + i * kCount);
  });
}

// Whether threads may take vectors of filters, which read as many channels.
template <class T, class... Pointers>
bool in_vectors(const Conv2dGeometry& g, const Pointers*... rows) {
  return g.k == g.c && are_vectors<T>(g.c, rows...);
}

}  // namespace

template <class T>
void cuda::swap_axes(const char* op, std::int64_t rows, std::int64_t columns, const T* from,
                     T* to) {
  each(op, rows * columns,
       [=] __device__(std::int64_t i) { to[i] = from[i % rows * columns + i / rows]; });
}

template <class T>
const T* cuda::filters_by_tap(const char* op, const Conv2dGeometry& g, const T* weight,
                              Workspace& workspace) {
  T* const by_tap = workspace.take<T>(g.r * g.s * g.k);
  swap_axes(op, g.k, g.r * g.s, weight, by_tap);
  return by_tap;
}

template <class T>
void cuda::depthwise_forward(const char* op, const Conv2dGeometry& g, Sharing weights, const T* x,
                             const T* weight, const T* bias, T* y) {
  const std::int64_t stride = filters_stride(g, weights);
  if (in_vectors<T>(g, x, weight, y))
    forward<kVector<T>>(op, g, stride, x, weight, bias, y);
  else
    forward<1>(op, g, stride, x, weight, bias, y);
}

template <class T>
void cuda::depthwise_data_gradient(const char* op, const Conv2dGeometry& g, Sharing weights,
                                   const T* dy, const T* weight, T* dx) {
  const std::int64_t stride = filters_stride(g, weights);
  if (in_vectors<T>(g, dy, weight, dx))
    data_gradient<kVector<T>>(op, g, stride, dy, weight, dx);
  else
    data_gradient<1>(op, g, stride, dy, weight, dx);
}

template <class T>
void cuda::depthwise_weight_gradient(const char* op, const Conv2dGeometry& g, Sharing weights,
                                     const T* x, const T* dy, T* dweight, Workspace& workspace) {
  const Runs cut = Runs::of(g, weights);
  const std::int64_t filters = g.r * g.s * g.k;
  T* const partial = cut.runs == 1 ? dweight : workspace.take<T>(cut.sets * cut.runs * filters);
  if (in_vectors<T>(g, x, dy, partial))
    gradient_of_runs<kVector<T>>(op, g, cut, x, dy, partial);
  else
    gradient_of_runs<1>(op, g, cut, x, dy, partial);
  if (partial != dweight)
    sum_forward(ReduceGeometry{cut.sets, cut.runs, filters}, partial, dweight, workspace);
}

template void cuda::swap_axes(const char*, std::int64_t, std::int64_t, const float*, float*);
template void cuda::swap_axes(const char*, std::int64_t, std::int64_t, const double*, double*);
template const float* cuda::filters_by_tap(const char*, const Conv2dGeometry&, const float*,
                                           Workspace&);
template const double* cuda::filters_by_tap(const char*, const Conv2dGeometry&, const double*,
                                            Workspace&);
template void cuda::depthwise_forward(const char*, const Conv2dGeometry&, Sharing, const float*,
                                      const float*, const float*, float*);
template void cuda::depthwise_forward(const char*, const Conv2dGeometry&, Sharing, const double*,
                                      const double*, const double*, double*);
template void cuda::depthwise_data_gradient(const char*, const Conv2dGeometry&, Sharing,
                                            const float*, const float*, float*);
template void cuda::depthwise_data_gradient(const char*, const Conv2dGeometry&, Sharing,
                                            const double*, const double*, double*);
template void cuda::depthwise_weight_gradient(const char*, const Conv2dGeometry&, Sharing,
                                              const float*, const float*, float*, Workspace&);
template void cuda::depthwise_weight_gradient(const char*, const Conv2dGeometry&, Sharing,
                                              const double*, const double*, double*, Workspace&);

}  // namespace pliant
