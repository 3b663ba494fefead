#include <pliant/core/kernels/global_deform_kernel.h>

#include <algorithm>
#include <vector>

#include <pliant/core/cpu/deform_columns.h>
#include <pliant/core/cpu/deform_spread.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

template <class T>
BilinearTap<T> tap_of(const GlobalDeformKernelGeometry& g, const T* offset, std::int64_t n,
                      std::int64_t t) {
  const T* const pair = offset + 2 * (n * g.taps() + t);
  return global_deform_kernel_tap(g, t, pair[0], pair[1]);
}

template <class T>
void forward(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset, T* kernels) {
  parallel_for(g.n * g.taps(), [&](std::int64_t task) {
    const std::int64_t n = task / g.taps(), t = task % g.taps();
    const BilinearTap<T> tap = tap_of(g, offset, n, t);
    for (std::int64_t k = 0; k < g.k; ++k) {
      T* const to = kernels + ((n * g.k + k) * g.taps() + t) * g.c;
      std::fill_n(to, g.c, T(0));
      for (int i = 0; i < 4; ++i) {
        if (tap.pixel[i] < 0) continue;
        const T* const from = weight + (k * g.positions() + tap.pixel[i]) * g.c;
        for (std::int64_t c = 0; c < g.c; ++c) to[c] += tap.weight[i] * from[c];
      }
    }
  });
}

// A task owns the weights of one output channel and adds images and taps in order, in double.
template <class T>
void weight_gradient(const GlobalDeformKernelGeometry& g, const T* offset, const T* dkernels,
                     T* dweight) {
  parallel_for(g.k, [&](std::int64_t k) {
    std::vector<double> sums(static_cast<std::size_t>(g.positions() * g.c));
    for (std::int64_t n = 0; n < g.n; ++n)
      for (std::int64_t t = 0; t < g.taps(); ++t) {
        const BilinearTap<T> tap = tap_of(g, offset, n, t);
        const T* const from = dkernels + ((n * g.k + k) * g.taps() + t) * g.c;
        for (int i = 0; i < 4; ++i) {
          if (tap.pixel[i] < 0) continue;
          double* const position = sums.data() + tap.pixel[i] * g.c;
          for (std::int64_t c = 0; c < g.c; ++c)
            position[c] += static_cast<double>(tap.weight[i] * from[c]);
        }
      }
    T* const to = dweight + k * g.positions() * g.c;
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<T>(sums[i]);
  });
}

template <class T>
void offset_gradient(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset,
                     const T* dkernels, T* doffset) {
  parallel_for(g.n * g.taps(), [&](std::int64_t task) {
    const std::int64_t n = task / g.taps(), t = task % g.taps();
    const BilinearTap<T> tap = tap_of(g, offset, n, t);
    T dots[4] = {};
    for (std::int64_t k = 0; k < g.k; ++k) {
      const T* const dkernel = dkernels + ((n * g.k + k) * g.taps() + t) * g.c;
      const T* from[4];
      for (int i = 0; i < 4; ++i)
        from[i] = weight + (k * g.positions() + std::max(tap.pixel[i], 0)) * g.c;
      T part[4] = {};
      cpu::dot_rows(dkernel, from, g.c, part);
      for (int i = 0; i < 4; ++i) dots[i] += tap.pixel[i] < 0 ? T(0) : part[i];
    }
    doffset[2 * task] = apply(tap.d_row, dots);
    doffset[2 * task + 1] = apply(tap.d_column, dots);
  });
}

template <class T>
void gradient(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset,
              const T* dkernels, T* dweight, T* doffset) {
  if (dweight != nullptr) weight_gradient(g, offset, dkernels, dweight);
  if (doffset != nullptr) offset_gradient(g, weight, offset, dkernels, doffset);
}

}  // namespace

constinit FloatKernel<GlobalDeformKernelForward> cpu::global_deform_kernel_forward{forward,
                                                                                   forward};
constinit FloatKernel<GlobalDeformKernelGradient> cpu::global_deform_kernel_gradient{gradient,
                                                                                     gradient};

}  // namespace pliant
