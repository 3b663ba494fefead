#include <pliant/core/kernels/pool2d.h>
#include <pliant/core/kernels/takes_over.h>

#include <limits>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "max_pool2d";

template <class T>
void forward(const Pool2dGeometry& g, const T* x, T* y, std::int32_t* index) {
  cuda::each(kOp, g.n * g.p * g.q * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, q = i / g.c % g.q, p = i / g.c / g.q % g.p;
    const T* const map = x + i / g.c / g.q / g.p * g.h * g.w * g.c + c;
    Wide<T> best = -std::numeric_limits<Wide<T>>::infinity();
    std::int32_t where = -1;
    for (std::int64_t r = 0; r < g.r; ++r)
      for (std::int64_t s = 0; s < g.s; ++s) {
        const std::int64_t row = g.row(p, r), column = g.column(q, s);
        if (row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
        const std::int64_t pixel = row * g.w + column;
        const Wide<T> now = map[pixel * g.c];
        if (where >= 0 && !takes_over(now, best)) continue;
        best = now;
        where = static_cast<std::int32_t>(pixel);
      }
    y[i] = T(best);
    index[i] = where;
  });
}

// Each pixel of dx looks for the windows that chose it, in the order of the output pixels.
template <class T>
void gradient(const Pool2dGeometry& g, const std::int32_t* index, const T* dy, T* dx) {
  cuda::each(kOp, g.n * g.h * g.w * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, w = i / g.c % g.w, h = i / g.c / g.w % g.h;
    const std::int64_t image = i / g.c / g.w / g.h, pixel = h * g.w + w;
    double sum = 0;
    for (std::int64_t r = g.r - 1; r >= 0; --r)
      for (std::int64_t s = g.s - 1; s >= 0; --s) {
        const std::int64_t down = h - g.row(0, r), right = w - g.column(0, s);
        if (down < 0 || down % g.stride_h != 0 || right < 0 || right % g.stride_w != 0) continue;
        const std::int64_t p = down / g.stride_h, q = right / g.stride_w;
        if (p >= g.p || q >= g.q) continue;
        const std::int64_t out = ((image * g.p + p) * g.q + q) * g.c + c;
        if (index[out] == pixel) sum += static_cast<double>(Wide<T>(dy[out]));
      }
    dx[i] = T(static_cast<Wide<T>>(sum));
  });
}

}  // namespace

constinit FloatingKernel<MaxPool2dForward> cuda::max_pool2d_forward{forward, forward, forward};
constinit FloatingKernel<MaxPool2dGradient> cuda::max_pool2d_gradient{gradient, gradient, gradient};

}  // namespace pliant
