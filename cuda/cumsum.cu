#include <pliant/core/kernels/cumsum.h>

#include <pliant/cuda/collectives.cuh>

namespace pliant {
namespace {

// A thread owns a line and walks along it: neighbours walk side by side.
template <class T>
void cumsum_all(const CumsumGeometry& g, const T* x, T* y) {
  cuda::each("cumsum", g.outer * g.inner, [=] __device__(std::int64_t line) {
    const std::int64_t o = line / g.inner, j = line % g.inner;
    double sum = 0;
    for (std::int64_t step = 0; step < g.length; ++step) cumsum_step(g, o, step, j, x, sum, y);
  });
}

// A block owns a long line that has no neighbours.
template <class T>
void cumsum_of_long_lines(const CumsumGeometry& g, const T* x, T* y) {
  cuda::scan_lines<double>(
      "cumsum", g.outer, g.length,
      [=] __device__(std::int64_t o, std::int64_t step) {
        return static_cast<double>(x[cumsum_at(g, o, step, 0)]);
      },
      [=] __device__(std::int64_t o, std::int64_t step, double sum) {
        y[cumsum_at(g, o, step, 0)] = static_cast<T>(sum);
      });
}

template <class T>
void cumsum_by_length(const CumsumGeometry& g, const T* x, T* y) {
  constexpr std::int64_t kLong = 128;
  if (g.inner == 1 && g.length >= kLong)
    cumsum_of_long_lines(g, x, y);
  else
    cumsum_all(g, x, y);
}

}  // namespace

constinit FloatKernel<Cumsum> cuda::cumsum{cumsum_by_length, cumsum_by_length};

}  // namespace pliant
