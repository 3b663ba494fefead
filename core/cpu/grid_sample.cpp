#include <pliant/core/kernels/grid_sample.h>

#include <algorithm>

#include <pliant/core/cpu/held_sums.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kTaskElements = 8192;
constexpr std::int64_t kChannels = 16;  // of a task that spreads a gradient

// Calls f(location, its tap, its image) for the locations begin .. end-1 of all images.
template <class T, class F>
void each_location(const GridSampleGeometry& g, const T* grid, std::int64_t begin, std::int64_t end,
                   F f) {
  for (std::int64_t i = begin; i < end; ++i)
    f(i, grid_tap(g, grid[2 * i], grid[2 * i + 1]), i / (g.p * g.q));
}

// The same for all locations, cut into tasks.
template <class T, class F>
void each_location_in_parallel(const GridSampleGeometry& g, const T* grid, F f) {
  const std::int64_t block = kTaskElements / std::clamp<std::int64_t>(g.c, 1, kTaskElements);
  parallel_blocks(g.n * g.p * g.q, block, [&](std::int64_t begin, std::int64_t end) {
    each_location(g, grid, begin, end, f);
  });
}

template <class T>
void forward(const GridSampleGeometry& g, const T* x, const T* grid, T* y) {
  const std::int64_t c = g.c, map = g.h * g.w * c;
  each_location_in_parallel(g, grid,
                            [=](std::int64_t i, const BilinearTap<T>& tap, std::int64_t image) {
                              T* const to = y + i * c;
                              std::fill_n(to, c, T(0));
                              for (int k = 0; k < 4; ++k) {
                                if (tap.pixel[k] < 0) continue;
                                const T* const from = x + image * map + tap.pixel[k] * c;
                                const T weight = tap.weight[k];
                                for (std::int64_t j = 0; j < c; ++j) to[j] += weight * from[j];
                              }
                            });
}

template <class T>
void grid_gradient(const GridSampleGeometry& g, const T* x, const T* grid, const T* dy, T* dgrid) {
  const std::int64_t c = g.c, map = g.h * g.w * c;
  each_location_in_parallel(
      g, grid, [=](std::int64_t i, const BilinearTap<T>& tap, std::int64_t image) {
        T along[4] = {};  // of dy and each pixel
        for (int k = 0; k < 4; ++k) {
          if (tap.pixel[k] < 0) continue;
          const T* const from = x + image * map + tap.pixel[k] * c;
          const T* const slope = dy + i * c;
          along[k] = sum_in_lanes<T>(c, [=](std::int64_t j) { return slope[j] * from[j]; });
        }
        dgrid[2 * i] = apply(tap.d_column, along);
        dgrid[2 * i + 1] = apply(tap.d_row, along);
      });
}

// Channels do not meet, so a task owns some channels of an image and walks its locations in order.
template <class T>
void data_gradient(const GridSampleGeometry& g, const T* grid, const T* dy, T* dx) {
  const std::int64_t c = g.c, pixels = g.h * g.w, blocks = (c + kChannels - 1) / kChannels;
  parallel_for(g.n * blocks, [&](std::int64_t task) {
    const std::int64_t first = task % blocks * kChannels, count = std::min(c - first, kChannels);
    const std::int64_t image = task / blocks, begin = image * g.p * g.q;
    T* const map = dx + image * pixels * c + first;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) std::fill_n(map + pixel * c, count, T(0));
    cpu::HeldSums<T> held(map, pixels, count, c);
    each_location(g, grid, begin, begin + g.p * g.q,
                  [=, &held](std::int64_t i, const BilinearTap<T>& tap, std::int64_t) {
                    const T* const from = dy + i * c + first;
                    held.count_square(tap.pixel, g.w);
                    for (int k = 0; k < 4; ++k) {
                      if (tap.pixel[k] < 0) continue;
                      T* const to = map + tap.pixel[k] * c;
                      for (std::int64_t j = 0; j < count; ++j) to[j] += tap.weight[k] * from[j];
                    }
                  });
    held.finish();
  });
}

template <class T>
void gradient(const GridSampleGeometry& g, const T* x, const T* grid, const T* dy, T* dx,
              T* dgrid) {
  if (dx != nullptr) data_gradient(g, grid, dy, dx);
  if (dgrid != nullptr) grid_gradient(g, x, grid, dy, dgrid);
}

}  // namespace

constinit FloatKernel<GridSampleForward> cpu::grid_sample_forward{forward, forward};
constinit FloatKernel<GridSampleGradient> cpu::grid_sample_gradient{gradient, gradient};

}  // namespace pliant
