#include <pliant/core/kernels/map_offsets.h>

#include <algorithm>
#include <vector>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kChannels = 16;

// The taps of some channels of one pixel, one array for each number so that they are computed with
// vectors.
template <class T, AtIntegers at_integers = AtIntegers::right_derivative>
struct ChannelTaps {
  std::int32_t pixel[4][kChannels];
  T weight[4][kChannels], d_row[4][kChannels], d_column[4][kChannels];

  // offset [count][2]: of pixel (i, j).
  void compute(const MapOffsetsGeometry& g, std::int64_t i, std::int64_t j, const T* offset,
               std::int64_t count) {
    for (std::int64_t c = 0; c < count; ++c) {
      const BilinearTap<T> tap =
          map_offsets_tap(g, i, j, offset[2 * c], offset[2 * c + 1], at_integers);
      for (int k = 0; k < 4; ++k) {
        pixel[k][c] = tap.pixel[k];
        weight[k][c] = tap.weight[k];
        d_row[k][c] = tap.d_row[k];
        d_column[k][c] = tap.d_column[k];
      }
    }
  }
  // A neighbour's value in channel c; `image` points at the first channel of pixel 0.
  T value(const MapOffsetsGeometry& g, const T* image, int k, std::int64_t c) const {
    return pixel[k][c] < 0 ? T(0) : image[pixel[k][c] * g.c + c];
  }
};

template <class T>
void forward(const MapOffsetsGeometry& g, const T* x, const T* offset, T* y, Workspace&) {
  parallel_blocks(g.n * g.h, 4, [&](std::int64_t begin, std::int64_t end) {
    ChannelTaps<T> taps;
    for (std::int64_t line = begin; line < end; ++line)
      for (std::int64_t j = 0; j < g.w; ++j)
        for (std::int64_t first = 0; first < g.c; first += kChannels) {
          const std::int64_t count = std::min(g.c - first, kChannels);
          const std::int64_t at = (line * g.w + j) * g.c + first;
          const T* const image = x + line / g.h * g.h * g.w * g.c + first;
          taps.compute(g, line % g.h, j, offset + 2 * at, count);
          for (std::int64_t c = 0; c < count; ++c) {
            T sum = 0;
            for (int k = 0; k < 4; ++k) sum += taps.weight[k][c] * taps.value(g, image, k, c);
            y[at + c] = sum;
          }
        }
  });
}

// Gradients of `count` channels of one pixel; image points at them in pixel 0, dy and doffset at
// them in this pixel. sums [1 + pixels][kChannels], which hold dx, begin at pixel -1, where what is
// outside of the map goes; they may be null, as doffset may.
template <class T, AtIntegers at_integers>
void spread(const MapOffsetsGeometry& g, const ChannelTaps<T, at_integers>& taps,
            std::int64_t count, const T* image, const T* dy, double* sums, T* doffset) {
  if (sums != nullptr)
    for (int k = 0; k < 4; ++k) {
      double terms[kChannels];
      for (std::int64_t c = 0; c < count; ++c)
        terms[c] = static_cast<double>(dy[c] * taps.weight[k][c]);
      for (std::int64_t c = 0; c < count; ++c) sums[taps.pixel[k][c] * kChannels + c] += terms[c];
    }
  if (doffset == nullptr) return;
  for (std::int64_t c = 0; c < count; ++c) {
    T by_row = 0, by_column = 0;
    for (int k = 0; k < 4; ++k) {
      const T value = taps.value(g, image, k, c);
      by_row += taps.d_row[k][c] * value;
      by_column += taps.d_column[k][c] * value;
    }
    doffset[2 * c] = dy[c] * by_row;
    doffset[2 * c + 1] = dy[c] * by_column;
  }
}

// Channels do not meet, so a task owns some channels of an image and walks its pixels in order. All
// of them may read one pixel, so the sums are held in double.
template <AtIntegers at_integers, class T>
void gradient_by(const MapOffsetsGeometry& g, const T* x, const T* offset, const T* dy, T* dx,
                 T* doffset) {
  const std::int64_t blocks = (g.c + kChannels - 1) / kChannels, pixels = g.h * g.w;
  parallel_for(g.n * blocks, [&](std::int64_t task) {
    const std::int64_t first = task % blocks * kChannels, count = std::min(g.c - first, kChannels);
    const std::int64_t image = task / blocks * pixels * g.c + first;
    ChannelTaps<T, at_integers> taps;
    std::vector<double> sums(dx == nullptr ? 0
                                           : static_cast<std::size_t>((pixels + 1) * kChannels));
    double* const first_sum = dx == nullptr ? nullptr : sums.data() + kChannels;
    for (std::int64_t i = 0; i < g.h; ++i)
      for (std::int64_t j = 0; j < g.w; ++j) {
        const std::int64_t at = image + (i * g.w + j) * g.c;
        taps.compute(g, i, j, offset + 2 * at, count);
        spread(g, taps, count, x + image, dy + at, first_sum,
               doffset == nullptr ? nullptr : doffset + 2 * at);
      }
    if (dx == nullptr) return;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
      for (std::int64_t c = 0; c < count; ++c)
        dx[image + pixel * g.c + c] = static_cast<T>(first_sum[pixel * kChannels + c]);
  });
}

template <class T>
void gradient(const MapOffsetsGeometry& g, const T* x, const T* offset, const T* dy, T* dx,
              T* doffset, Workspace&) {
  if (g.at_integers == AtIntegers::zero)
    gradient_by<AtIntegers::zero>(g, x, offset, dy, dx, doffset);
  else
    gradient_by<AtIntegers::right_derivative>(g, x, offset, dy, dx, doffset);
}

}  // namespace

constinit FloatKernel<MapOffsetsForward> cpu::map_offsets_forward{forward, forward};
constinit FloatKernel<MapOffsetsGradient> cpu::map_offsets_gradient{gradient, gradient};

}  // namespace pliant
