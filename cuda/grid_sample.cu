#include <pliant/core/kernels/grid_sample.h>

#include <pliant/cuda/tap_scatter.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "grid_sample";

// Each location has one sample. Passed by value.
template <class T>
struct Samples {
  GridSampleGeometry g;
  const T* grid;

  TapRows rows(std::int64_t begin, std::int64_t end) const {
    return {begin, end, g.p * g.q, 1, 1, g.h, g.w, g.c};
  }
  __device__ ScaledTap<T> operator()(std::int64_t location, std::int64_t, std::int64_t) const {
    return {grid_tap(g, grid[2 * location], grid[2 * location + 1]), T(1)};
  }
};

// kCount neighbouring channels of a location by each thread.
template <int kCount, class T>
void forward(const Samples<T>& samples, const T* x, T* y) {
  const TapRows rows = samples.rows(0, samples.g.n * samples.g.p * samples.g.q);
  const std::int64_t blocks = rows.c / kCount;
  each(kOp, rows.rows() * blocks, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / blocks, c = i % blocks * kCount;
    store(read_tap<kCount>(samples(row, 0, 0).tap, x + rows.map(row) + c, rows.c),
          y + row * rows.c + c);
  });
}

template <int kCount, class T>
void gradient(const Samples<T>& samples, const T* x, const T* dy, T* dx, T* dgrid) {
  const GridSampleGeometry& g = samples.g;
  if (dx != nullptr) set_to_zero(kOp, dx, g.n * g.h * g.w * g.c);
  each_tap_rows(g.n, samples.rows(0, 0), [&](const TapRows& rows) {
    const OutputSlopes<T> slopes{dy, rows.begin, rows.c};
    if (dx != nullptr) add_to_map<kCount>(kOp, rows, samples, slopes, dx);
    if (dgrid == nullptr) return;
    each_dots<kCount>(
        kOp, rows, samples, slopes, x,
        [=] __device__(std::int64_t location, std::int64_t, std::int64_t, const Sums<T, 4>& dots) {
          const BilinearTap<T> tap = samples(location, 0, 0).tap;
          dgrid[2 * location] = apply(tap.d_column, dots.value);
          dgrid[2 * location + 1] = apply(tap.d_row, dots.value);
        });
  });
}

template <class T>
void forward(const GridSampleGeometry& g, const T* x, const T* grid, T* y) {
  const Samples<T> samples{g, grid};
  if (are_vectors<T>(g.c, x, y))
    forward<kVector<T>>(samples, x, y);
  else
    forward<1>(samples, x, y);
}

template <class T>
void gradient(const GridSampleGeometry& g, const T* x, const T* grid, const T* dy, T* dx,
              T* dgrid) {
  const Samples<T> samples{g, grid};
  if (are_vectors<T>(g.c, x, dy, dx))
    gradient<kVector<T>>(samples, x, dy, dx, dgrid);
  else
    gradient<1>(samples, x, dy, dx, dgrid);
}

}  // namespace

constinit FloatKernel<GridSampleForward> cuda::grid_sample_forward{forward, forward};
constinit FloatKernel<GridSampleGradient> cuda::grid_sample_gradient{gradient, gradient};

}  // namespace pliant
