#include <pliant/core/kernels/roi_pool.h>

#include <algorithm>

#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kRowsOfBins = 8;  // of a task
constexpr std::int64_t kChannels = 16;   // of a task of the gradient

// One bin, all channels; x is its image.
template <class T>
void pool_bin(const RegionGeometry& g, PixelRange rows, PixelRange columns, const T* x, T* y,
              std::int32_t* index) {
  std::fill_n(y, g.k, T(0));
  std::fill_n(index, g.k, -1);
  bool is_first = true;
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    for (std::int64_t column = columns.begin; column < columns.end; ++column) {
      const std::int64_t at = row * g.w + column;
      const T* const now = x + at * g.c;
      const auto pixel = static_cast<std::int32_t>(at);
      for (std::int64_t c = 0; c < g.k; ++c) {
        const bool take = is_first | takes_over(now[c], y[c]);
        y[c] = take ? now[c] : y[c];
        index[c] = take ? pixel : index[c];
      }
      is_first = false;
    }
}

template <class T>
void forward(const RegionGeometry& g, const T* x, const T* rois, T* y, std::int32_t* index) {
  parallel_blocks(g.r * g.p, kRowsOfBins, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const T* const roi = rois + at / g.p * 5;
      const T* const image = x + static_cast<std::int64_t>(roi[0]) * g.h * g.w * g.c;
      const auto pixels = [&](int axis, std::int64_t bin, std::int64_t bins, std::int64_t size) {
        return roi_pool_pixels(g, static_cast<double>(roi[axis]),
                               static_cast<double>(roi[axis + 2]), bin, bins, size);
      };
      const PixelRange rows = pixels(2, at % g.p, g.p, g.h);
      for (std::int64_t j = 0; j < g.q; ++j) {
        const std::int64_t out = (at * g.q + j) * g.k;
        pool_bin(g, rows, pixels(1, j, g.q, g.w), image, y + out, index + out);
      }
    }
  });
}

// Channels do not meet, so a task owns some channels of an image and walks the regions in order.
template <class T>
void gradient(const RegionGeometry& g, const T* rois, const std::int32_t* index, const T* dy,
              T* dx) {
  const std::int64_t blocks = (g.c + kChannels - 1) / kChannels, pixels = g.h * g.w;
  parallel_for(g.n * blocks, [&](std::int64_t task) {
    const std::int64_t image = task / blocks, first = task % blocks * kChannels;
    const std::int64_t count = std::min(g.c - first, kChannels);
    T* const map = dx + image * pixels * g.c + first;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
      std::fill_n(map + pixel * g.c, count, T(0));
    for (std::int64_t r = 0; r < g.r; ++r) {
      if (static_cast<std::int64_t>(rois[5 * r]) != image) continue;
      for (std::int64_t bin = r * g.p * g.q; bin < (r + 1) * g.p * g.q; ++bin)
        for (std::int64_t c = 0; c < count; ++c) {
          const std::int64_t at = bin * g.k + first + c;
          if (index[at] >= 0) map[index[at] * g.c + c] += dy[at];
        }
    }
  });
}

}  // namespace

void cpu::roi_pool_forward(const RegionGeometry& g, const float* x, const float* rois, float* y,
                           std::int32_t* index) {
  forward(g, x, rois, y, index);
}

void cpu::roi_pool_forward(const RegionGeometry& g, const double* x, const double* rois, double* y,
                           std::int32_t* index) {
  forward(g, x, rois, y, index);
}

void cpu::roi_pool_gradient(const RegionGeometry& g, const float* rois, const std::int32_t* index,
                            const float* dy, float* dx) {
  gradient(g, rois, index, dy, dx);
}

void cpu::roi_pool_gradient(const RegionGeometry& g, const double* rois, const std::int32_t* index,
                            const double* dy, double* dx) {
  gradient(g, rois, index, dy, dx);
}

}  // namespace pliant
