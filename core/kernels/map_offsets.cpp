#include <pliant/core/kernels/map_offsets.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// The four pixels of a tap in one channel; `image` points at that channel of pixel 0.
template <class T>
struct Four {
  T value[4];
  Four(const BilinearTap<T>& tap, const T* image, std::int64_t c) {
    for (int i = 0; i < 4; ++i)
      value[i] = tap.pixel[i] < 0 ? T(0) : image[std::int64_t{tap.pixel[i]} * c];
  }
};

template <class T>
void forward(const MapOffsetsGeometry& g, const T* x, const T* offset, T* y) {
  parallel_blocks(g.n * g.h, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const T* const image = x + line / g.h * g.h * g.w * g.c;
      for (std::int64_t j = 0; j < g.w; ++j)
        for (std::int64_t c = 0; c < g.c; ++c) {
          const std::int64_t at = (line * g.w + j) * g.c + c;
          const BilinearTap<T> tap =
              map_offsets_tap(g, line % g.h, j, offset[2 * at], offset[2 * at + 1]);
          y[at] = apply(tap.weight, Four<T>(tap, image + c, g.c).value);
        }
    }
  });
}

// Channels do not meet, so a task owns some channels of an image and walks its pixels in order.
template <class T>
void gradient(const MapOffsetsGeometry& g, const T* x, const T* offset, const T* dy, T* dx,
              T* doffset) {
  constexpr std::int64_t kChannels = 16;
  const std::int64_t blocks = (g.c + kChannels - 1) / kChannels, pixels = g.h * g.w;
  parallel_for(g.n * blocks, [&](std::int64_t task) {
    const std::int64_t image = task / blocks * pixels * g.c;
    const std::int64_t begin = task % blocks * kChannels, end = std::min(g.c, begin + kChannels);
    if (dx != nullptr)
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
        std::fill_n(dx + image + pixel * g.c + begin, end - begin, T(0));
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
      for (std::int64_t c = begin; c < end; ++c) {
        const std::int64_t at = image + pixel * g.c + c;
        const BilinearTap<T> tap =
            map_offsets_tap(g, pixel / g.w, pixel % g.w, offset[2 * at], offset[2 * at + 1]);
        if (dx != nullptr)
          for (int i = 0; i < 4; ++i)
            if (tap.pixel[i] >= 0)
              dx[image + std::int64_t{tap.pixel[i]} * g.c + c] += dy[at] * tap.weight[i];
        if (doffset == nullptr) continue;
        const Four<T> four(tap, x + image + c, g.c);
        doffset[2 * at] = dy[at] * apply(tap.d_row, four.value);
        doffset[2 * at + 1] = dy[at] * apply(tap.d_column, four.value);
      }
  });
}

}  // namespace

void cpu::map_offsets_forward(const MapOffsetsGeometry& g, const float* x, const float* offset,
                              float* y, Workspace&) {
  forward(g, x, offset, y);
}

void cpu::map_offsets_forward(const MapOffsetsGeometry& g, const double* x, const double* offset,
                              double* y, Workspace&) {
  forward(g, x, offset, y);
}

void cpu::map_offsets_gradient(const MapOffsetsGeometry& g, const float* x, const float* offset,
                               const float* dy, float* dx, float* doffset, Workspace&) {
  gradient(g, x, offset, dy, dx, doffset);
}

void cpu::map_offsets_gradient(const MapOffsetsGeometry& g, const double* x, const double* offset,
                               const double* dy, double* dx, double* doffset, Workspace&) {
  gradient(g, x, offset, dy, dx, doffset);
}

}  // namespace pliant
