#include <pliant/core/kernels/roi_pool.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <pliant/core/cpu/roi_windows.h>

namespace pliant {
namespace {

constexpr std::int64_t kRowsOfBins = 8;  // of a task
constexpr std::int64_t kFewPixels = 32;

// A vector's lanes as integers: masks of comparisons, and pixels.
template <class T, std::size_t bytes>
struct LanesOf {
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using type = cpu::Vector<Integer, bytes>;
  static type all(std::int64_t value) { return type{} + static_cast<Integer>(value); }
};

// One bin that has pixels; x is its image. A value takes over as max_pool2d's takes_over() has it.
template <class T>
void pool_bin(const RoIGeometry& g, PixelRange rows, PixelRange columns, const T* x, T* y,
              std::int32_t* index) {
  cpu::each_channel_block<T>(g.k, [&]<std::size_t kVectors, class V>(std::int64_t c, V*) {
    using All = LanesOf<T, sizeof(V)>;
    using Lanes = typename All::type;
    constexpr std::size_t kLanes = sizeof(V) / sizeof(T);
    V best[kVectors];
    Lanes where[kVectors];
    std::memcpy(best, x + (rows.begin * g.w + columns.begin) * g.c + c, sizeof(best));
    for (Lanes& w : where) w = All::all(rows.begin * g.w + columns.begin);
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      for (std::int64_t column = columns.begin; column < columns.end; ++column) {
        const std::int64_t pixel = row * g.w + column;
        V now[kVectors];
        std::memcpy(now, x + pixel * g.c + c, sizeof(now));
        for (std::size_t i = 0; i < kVectors; ++i) {
          const Lanes take = (now[i] > best[i]) | ((now[i] != now[i]) & (best[i] == best[i]));
          best[i] = take ? now[i] : best[i];
          where[i] = take ? All::all(pixel) : where[i];
        }
      }
    std::memcpy(y + c, best, sizeof(best));
    for (std::size_t i = 0; i < kVectors; ++i)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        index[static_cast<std::size_t>(c) + i * kLanes + lane] =
            static_cast<std::int32_t>(where[i][lane]);
  });
}

// The pixels of a bin along an axis: 1 for x, 2 for y.
template <class T>
PixelRange pixels(const RoIGeometry& g, const T* roi, int axis, std::int64_t bin, std::int64_t bins,
                  std::int64_t extent) {
  return roi_pool_pixels(g, static_cast<double>(roi[axis]), static_cast<double>(roi[axis + 2]), bin,
                         bins, extent);
}

template <class T>
void forward(const RoIGeometry& g, const T* x, const T* rois, T* y, std::int32_t* index) {
  parallel_blocks(g.r * g.p, kRowsOfBins, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const T* const roi = rois + at / g.p * 5;
      const T* const image = x + static_cast<std::int64_t>(roi[0]) * g.h * g.w * g.c;
      const PixelRange rows = pixels(g, roi, 2, at % g.p, g.p, g.h);
      for (std::int64_t j = 0; j < g.q; ++j) {
        const std::int64_t out = (at * g.q + j) * g.k;
        const PixelRange columns = pixels(g, roi, 1, j, g.q, g.w);
        if (rows.begin < rows.end && columns.begin < columns.end) {
          pool_bin(g, rows, columns, image, y + out, index + out);
        } else {
          std::fill_n(y + out, g.k, T(0));
          std::fill_n(index + out, g.k, -1);
        }
      }
    }
  });
}

// Adds dy of one bin to those of its pixels that lie in rows begin .. end-1; dx is the map. A small
// bin goes pixel by pixel through all channels, a large one straight to the index: either way each
// element of dx gets its terms in the order of the bins.
template <class T>
void scatter_bin(const RoIGeometry& g, PixelRange rows, PixelRange columns, PixelRange inside,
                 const std::int32_t* index, const T* dy, T* dx, cpu::HeldSums<T>& held) {
  rows = {std::max(rows.begin, inside.begin), std::min(rows.end, inside.end)};
  if (rows.begin >= rows.end) return;
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    for (std::int64_t column = columns.begin; column < columns.end; ++column)
      held.count((row - inside.begin) * g.w + column);
  if ((rows.end - rows.begin) * (columns.end - columns.begin) > kFewPixels) {
    for (std::int64_t c = 0; c < g.k; ++c)
      if (index[c] >= rows.begin * g.w && index[c] < rows.end * g.w)
        dx[index[c] * g.k + c] += dy[c];
    return;
  }
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    for (std::int64_t column = columns.begin; column < columns.end; ++column) {
      const auto pixel = static_cast<std::int32_t>(row * g.w + column);
      T* const to = dx + pixel * g.k;
      for (std::int64_t c = 0; c < g.k; ++c) to[c] += index[c] == pixel ? dy[c] : T(0);
    }
}

template <class T>
void gradient(const RoIGeometry& g, const T* rois, const std::int32_t* index, const T* dy, T* dx,
              Workspace& workspace) {
  const auto add = [&](std::int64_t image, std::int64_t group, PixelRange inside,
                       const cpu::MapView<T>& map, cpu::HeldSums<T>& held) {
    PixelRange rows;
    std::vector<PixelRange> columns(static_cast<std::size_t>(g.q));
    const auto scatter = [&](std::int64_t r, std::int64_t i, std::int64_t j) {
      const T* const roi = rois + 5 * r;
      const auto column = static_cast<std::size_t>(j);
      if (i == 0) columns[column] = pixels(g, roi, 1, j, g.q, g.w);
      if (j == 0) rows = pixels(g, roi, 2, i, g.p, g.h);
      const std::int64_t at = ((r * g.p + i) * g.q + j) * g.k;
      scatter_bin(g, rows, columns[column], inside, index + at, dy + at, map.base, held);
    };
    cpu::each_bin_of(g, rois, image, group, scatter);
  };
  cpu::own_rows(g, 1, dx, workspace, add);
}

}  // namespace

constinit FloatKernel<RoIPoolForward> cpu::roi_pool_forward{forward, forward};
constinit FloatKernel<RoIPoolGradient> cpu::roi_pool_gradient{gradient, gradient};

}  // namespace pliant
