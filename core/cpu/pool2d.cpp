#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/kernels/takes_over.h>

#include <algorithm>
#include <limits>

#include <pliant/core/cpu/held_sums.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kTaskElements = 16384;
constexpr std::int64_t kFewTaps = 16;

// The taps first .. last-1 of one output row (or column) that lie inside the map; `start` is where
// tap 0 lies, `size` the map's extent.
struct Taps {
  std::int64_t first, last;
};
Taps taps_inside(std::int64_t start, std::int64_t taps, std::int64_t dilation, std::int64_t size) {
  const std::int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const std::int64_t last = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  return {first, std::min(taps, last)};
}

// Calls f(pixel) for the pixels of the window of output (p, q), rows outside, columns inside.
template <class F>
void each_pixel(const Pool2dGeometry& g, std::int64_t p, std::int64_t q, F f) {
  const Taps rows = taps_inside(g.row(p, 0), g.r, g.dilation_h, g.h);
  const Taps columns = taps_inside(g.column(q, 0), g.s, g.dilation_w, g.w);
  for (std::int64_t r = rows.first; r < rows.last; ++r)
    for (std::int64_t s = columns.first; s < columns.last; ++s)
      f(g.row(p, r) * g.w + g.column(q, s));
}

// One output pixel, all channels; x is the pixel's map.
template <class T>
void pool_window(const Pool2dGeometry& g, std::int64_t p, std::int64_t q, const T* x, T* y,
                 std::int32_t* index) {
  bool is_first = true;
  each_pixel(g, p, q, [&](std::int64_t at) {
    const T* const now = x + at * g.c;
    const auto pixel = static_cast<std::int32_t>(at);
    if (is_first) {
      std::copy_n(now, g.c, y);
      std::fill_n(index, g.c, pixel);
      is_first = false;
      return;
    }
    for (std::int64_t j = 0; j < g.c; ++j) {
      const bool take = takes_over(now[j], y[j]);
      y[j] = take ? now[j] : y[j];
      index[j] = take ? pixel : index[j];
    }
  });
  if (!is_first) return;
  std::fill_n(y, g.c, -std::numeric_limits<T>::infinity());
  std::fill_n(index, g.c, -1);
}

template <class T>
void forward(const Pool2dGeometry& g, const T* x, T* y, std::int32_t* index) {
  const std::int64_t row = std::max<std::int64_t>(1, g.q * g.c);  // elements of an output row
  parallel_blocks(g.n * g.p, std::max<std::int64_t>(1, kTaskElements / row),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i)
                      for (std::int64_t q = 0; q < g.q; ++q) {
                        const std::int64_t out = (i * g.q + q) * g.c;
                        pool_window(g, i % g.p, q, x + i / g.p * g.h * g.w * g.c, y + out,
                                    index + out);
                      }
                  });
}

// Adds one output pixel's dy to those of its pixels that lie in rows begin .. end-1; dx is its
// map. A short window goes pixel by pixel through all channels, a long one straight to the index:
// either way each element of dx gets its terms in the order of the output pixels. Long ones that
// overlap may have many, which `held` counts by element.
template <class T>
void scatter_window(const Pool2dGeometry& g, std::int64_t p, std::int64_t q, std::int64_t begin,
                    std::int64_t end, const std::int32_t* index, const T* dy, T* dx,
                    cpu::HeldSums<T>& held) {
  if (g.r * g.s > kFewTaps) {
    for (std::int64_t j = 0; j < g.c; ++j) {
      if (index[j] < begin * g.w || index[j] >= end * g.w) continue;
      held.count((index[j] - begin * g.w) * g.c + j);
      dx[index[j] * g.c + j] += dy[j];
    }
    return;
  }
  each_pixel(g, p, q, [&](std::int64_t at) {
    if (at < begin * g.w || at >= end * g.w) return;
    const auto pixel = static_cast<std::int32_t>(at);
    T* const to = dx + at * g.c;
    for (std::int64_t j = 0; j < g.c; ++j) to[j] += index[j] == pixel ? dy[j] : T(0);
  });
}

// Each task owns some rows of dx and walks the output rows that reach into them.
template <class T>
void gradient(const Pool2dGeometry& g, const std::int32_t* index, const T* dy, T* dx) {
  const std::int64_t row = g.w * g.c;
  const std::int64_t height =
      std::clamp<std::int64_t>(kTaskElements / std::max<std::int64_t>(1, row), 1, g.h);
  const std::int64_t blocks = (g.h + height - 1) / height;
  const std::int64_t reach = (g.r - 1) * g.dilation_h;
  parallel_for(g.n * blocks, [&](std::int64_t task) {
    const std::int64_t image = task / blocks, begin = task % blocks * height;
    const std::int64_t end = std::min(g.h, begin + height);
    T* const map = dx + image * g.h * row;
    std::fill(map + begin * row, map + end * row, T(0));
    cpu::HeldSums<T> held(map + begin * row, g.r * g.s > kFewTaps ? (end - begin) * row : 0, 1, 1);
    // Output row p reads the rows from row(p, 0) to row(p, 0) + reach.
    const std::int64_t lowest = begin + g.pad_top - reach;
    const std::int64_t first = lowest <= 0 ? 0 : (lowest + g.stride_h - 1) / g.stride_h;
    const std::int64_t last = std::min(g.p, (end - 1 + g.pad_top) / g.stride_h + 1);
    for (std::int64_t p = first; p < last; ++p)
      for (std::int64_t q = 0; q < g.q; ++q) {
        const std::int64_t out = ((image * g.p + p) * g.q + q) * g.c;
        scatter_window(g, p, q, begin, end, index + out, dy + out, map, held);
      }
    held.finish();
  });
}

void widened_forward(const Pool2dGeometry& g, const BFloat16* x, BFloat16* y, std::int32_t* index) {
  Workspace workspace(Device::cpu());
  cpu::Widening::rounded(y, g.n * g.p * g.q * g.c, workspace, [&](float* wide) {
    forward(g, cpu::Widening::widened(x, g.n * g.h * g.w * g.c, workspace), wide, index);
  });
}

void widened_gradient(const Pool2dGeometry& g, const std::int32_t* index, const BFloat16* dy,
                      BFloat16* dx) {
  Workspace workspace(Device::cpu());
  cpu::Widening::rounded(dx, g.n * g.h * g.w * g.c, workspace, [&](float* wide) {
    gradient(g, index, cpu::Widening::widened(dy, g.n * g.p * g.q * g.c, workspace), wide);
  });
}

}  // namespace

constinit FloatingKernel<MaxPool2dForward> cpu::max_pool2d_forward{forward, forward,
                                                                   widened_forward};
constinit FloatingKernel<MaxPool2dGradient> cpu::max_pool2d_gradient{gradient, gradient,
                                                                     widened_gradient};

}  // namespace pliant
