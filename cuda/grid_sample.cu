#include <pliant/core/kernels/grid_sample.h>

#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "grid_sample";

// kCount neighbouring channels of a location by each thread.
template <int kCount, class T>
void forward(const GridSampleGeometry& g, const T* x, const T* grid, T* y) {
  const std::int64_t blocks = g.c / kCount;
  each(kOp, g.n * g.p * g.q * blocks, [=] __device__(std::int64_t at) {
    const std::int64_t c = at % blocks * kCount, location = at / blocks;
    const BilinearTap<T> tap = grid_tap(g, grid[2 * location], grid[2 * location + 1]);
    const T* const map = x + location / (g.p * g.q) * g.h * g.w * g.c + c;
    Vector<T, kCount> sum{};
    for (int k = 0; k < 4; ++k)
      if (tap.pixel[k] >= 0)
        add_scaled(tap.weight[k], load<kCount>(map + std::int64_t{tap.pixel[k]} * g.c), sum);
    store(sum, y + location * g.c + c);
  });
}

// One thread per location: the dot products of dy with the four pixels.
template <int kCount, class T>
void grid_gradient(const GridSampleGeometry& g, const T* x, const T* grid, const T* dy, T* dgrid) {
  each(kOp, g.n * g.p * g.q, [=] __device__(std::int64_t location) {
    const BilinearTap<T> tap = grid_tap(g, grid[2 * location], grid[2 * location + 1]);
    const T* const map = x + location / (g.p * g.q) * g.h * g.w * g.c;
    Vector<T, kCount> sums[4] = {};
    for (std::int64_t c = 0; c < g.c; c += kCount) {
      const Vector<T, kCount> slope = load<kCount>(dy + location * g.c + c);
      for (int k = 0; k < 4; ++k)
        if (tap.pixel[k] >= 0)
          add_products(slope, load<kCount>(map + std::int64_t{tap.pixel[k]} * g.c + c), sums[k]);
    }
    T along[4] = {};
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < kCount; ++i) along[k] += sums[k].value[i];
    dgrid[2 * location] = apply(tap.d_column, along);
    dgrid[2 * location + 1] = apply(tap.d_row, along);
  });
}

// Any location may reach any pixel, so one thread owns a channel of an image and walks the
// locations in order, as in map_offsets: deterministic, but with few threads.
template <class T>
void data_gradient(const GridSampleGeometry& g, const T* grid, const T* dy, T* dx) {
  const std::int64_t map = g.h * g.w * g.c, locations = g.p * g.q;
  set_to_zero(kOp, dx, g.n * map);
  each(kOp, g.n * g.c, [=] __device__(std::int64_t owner) {
    const std::int64_t c = owner % g.c, image = owner / g.c;
    T* const to = dx + image * map + c;
    for (std::int64_t i = image * locations; i < (image + 1) * locations; ++i) {
      const BilinearTap<T> tap = grid_tap(g, grid[2 * i], grid[2 * i + 1]);
      const T slope = dy[i * g.c + c];
      for (int k = 0; k < 4; ++k)
        if (tap.pixel[k] >= 0) to[std::int64_t{tap.pixel[k]} * g.c] += tap.weight[k] * slope;
    }
  });
}

template <class T>
void forward(const GridSampleGeometry& g, const T* x, const T* grid, T* y) {
  if (are_vectors<T>(g.c, x, y))
    forward<kVector<T>>(g, x, grid, y);
  else
    forward<1>(g, x, grid, y);
}

template <class T>
void gradient(const GridSampleGeometry& g, const T* x, const T* grid, const T* dy, T* dx,
              T* dgrid) {
  if (dx != nullptr) data_gradient(g, grid, dy, dx);
  if (dgrid == nullptr) return;
  if (are_vectors<T>(g.c, x, dy))
    grid_gradient<kVector<T>>(g, x, grid, dy, dgrid);
  else
    grid_gradient<1>(g, x, grid, dy, dgrid);
}

}  // namespace

void cuda::grid_sample_forward(const GridSampleGeometry& g, const float* x, const float* grid,
                               float* y) {
  forward(g, x, grid, y);
}
void cuda::grid_sample_forward(const GridSampleGeometry& g, const double* x, const double* grid,
                               double* y) {
  forward(g, x, grid, y);
}
void cuda::grid_sample_gradient(const GridSampleGeometry& g, const float* x, const float* grid,
                                const float* dy, float* dx, float* dgrid) {
  gradient(g, x, grid, dy, dx, dgrid);
}
void cuda::grid_sample_gradient(const GridSampleGeometry& g, const double* x, const double* grid,
                                const double* dy, double* dx, double* dgrid) {
  gradient(g, x, grid, dy, dx, dgrid);
}

}  // namespace pliant
