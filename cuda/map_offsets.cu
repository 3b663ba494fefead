#include <pliant/core/kernels/map_offsets.h>

#include <pliant/cuda/tap_scatter.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "map_offsets";

// The tap of element `at` of y.
template <class T>
__device__ BilinearTap<T> tap_of(const MapOffsetsGeometry& g, std::int64_t at, const T* offset) {
  const std::int64_t j = at / g.c % g.w, i = at / g.c / g.w % g.h;
  return map_offsets_tap(g, i, j, offset[2 * at], offset[2 * at + 1], g.at_integers);
}

// The four pixels of a tap in one channel; `map` points at that channel of pixel 0.
template <class T>
struct Four {
  T value[4];
  __device__ Four(const BilinearTap<T>& tap, const T* map, std::int64_t c) {
    for (int i = 0; i < 4; ++i)
      value[i] = tap.pixel[i] < 0 ? T(0) : map[std::int64_t{tap.pixel[i]} * c];
  }
};

// Where the channel of element `at` has its pixel 0.
__device__ std::int64_t map_of(const MapOffsetsGeometry& g, std::int64_t at) {
  const std::int64_t size = g.h * g.w * g.c;
  return at / size * size + at % g.c;
}

template <class T>
void forward(const MapOffsetsGeometry& g, const T* x, const T* offset, T* y, Workspace&) {
  cuda::each(kOp, g.n * g.h * g.w * g.c, [=] __device__(std::int64_t at) {
    const BilinearTap<T> tap = tap_of(g, at, offset);
    y[at] = apply(tap.weight, Four<T>(tap, x + map_of(g, at), g.c).value);
  });
}

template <class T>
void offset_gradient(const MapOffsetsGeometry& g, const T* x, const T* offset, const T* dy,
                     T* doffset) {
  cuda::each(kOp, g.n * g.h * g.w * g.c, [=] __device__(std::int64_t at) {
    const BilinearTap<T> tap = tap_of(g, at, offset);
    const Four<T> four(tap, x + map_of(g, at), g.c);
    doffset[2 * at] = dy[at] * apply(tap.d_row, four.value);
    doffset[2 * at + 1] = dy[at] * apply(tap.d_column, four.value);
  });
}

// Each channel of a pixel has a sample of its own, so each is a group. Passed by value.
template <class T>
struct Samples {
  MapOffsetsGeometry g;
  const T* offset;

  __device__ cuda::ScaledTap<T> operator()(std::int64_t pixel, std::int64_t c, std::int64_t) const {
    return {tap_of(g, pixel * g.c + c, offset), T(1)};
  }
};

template <class T>
void data_gradient(const MapOffsetsGeometry& g, const T* offset, const T* dy, T* dx) {
  cuda::set_to_zero(kOp, dx, g.n * g.h * g.w * g.c);
  cuda::each_tap_rows(g.n, {0, 0, g.h * g.w, g.c, 1, g.h, g.w, g.c},
                      [&](const cuda::TapRows& rows) {
                        const cuda::OutputSlopes<T> slopes{dy, rows.begin, g.c};
                        cuda::add_to_map<1>(kOp, rows, Samples<T>{g, offset}, slopes, dx);
                      });
}

template <class T>
void gradient(const MapOffsetsGeometry& g, const T* x, const T* offset, const T* dy, T* dx,
              T* doffset, Workspace&) {
  if (doffset != nullptr) offset_gradient(g, x, offset, dy, doffset);
  if (dx != nullptr) data_gradient(g, offset, dy, dx);
}

}  // namespace

constinit FloatKernel<MapOffsetsForward> cuda::map_offsets_forward{forward, forward};
constinit FloatKernel<MapOffsetsGradient> cuda::map_offsets_gradient{gradient, gradient};

}  // namespace pliant
