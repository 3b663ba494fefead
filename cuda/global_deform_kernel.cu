#include <pliant/core/kernels/global_deform_kernel.h>

#include <pliant/core/kernels/workspace.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "global_deform_kernel";

template <class T>
__device__ BilinearTap<T> tap_of(const GlobalDeformKernelGeometry& g, const T* offset,
                                 std::int64_t n, std::int64_t t) {
  const T* const pair = offset + 2 * (n * g.taps() + t);
  return global_deform_kernel_tap(g, t, pair[0], pair[1]);
}

template <class T>
void forward(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset, T* kernels) {
  cuda::each(kOp, g.n * g.k * g.taps() * g.c, [=] __device__(std::int64_t at) {
    const std::int64_t c = at % g.c, t = at / g.c % g.taps(), k = at / g.c / g.taps() % g.k;
    const BilinearTap<T> tap = tap_of(g, offset, at / g.c / g.taps() / g.k, t);
    const T* const from = weight + k * g.positions() * g.c + c;
    T sum = 0;
    for (int i = 0; i < 4; ++i)
      if (tap.pixel[i] >= 0) sum += tap.weight[i] * from[tap.pixel[i] * g.c];
    kernels[at] = sum;
  });
}

// One thread owns an input and output channel and adds images and taps in order, in double.
template <class T>
void weight_gradient(const GlobalDeformKernelGeometry& g, const T* offset, const T* dkernels,
                     T* dweight) {
  Workspace workspace(Device::cuda());
  const std::int64_t size = g.k * g.positions() * g.c;
  double* const sums = workspace.take<double>(size);
  cuda::set_to_zero(kOp, sums, size);
  cuda::each(kOp, g.k * g.c, [=] __device__(std::int64_t owner) {
    const std::int64_t c = owner % g.c, k = owner / g.c;
    double* const to = sums + k * g.positions() * g.c + c;
    for (std::int64_t n = 0; n < g.n; ++n)
      for (std::int64_t t = 0; t < g.taps(); ++t) {
        const BilinearTap<T> tap = tap_of(g, offset, n, t);
        const T slope = dkernels[((n * g.k + k) * g.taps() + t) * g.c + c];
        for (int i = 0; i < 4; ++i)
          if (tap.pixel[i] >= 0)
            to[tap.pixel[i] * g.c] += static_cast<double>(tap.weight[i] * slope);
      }
  });
  cuda::each(kOp, size, [=] __device__(std::int64_t i) { dweight[i] = static_cast<T>(sums[i]); });
}

template <class T>
void offset_gradient(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset,
                     const T* dkernels, T* doffset) {
  cuda::each(kOp, g.n * g.taps(), [=] __device__(std::int64_t at) {
    const std::int64_t n = at / g.taps(), t = at % g.taps();
    const BilinearTap<T> tap = tap_of(g, offset, n, t);
    T dots[4] = {};
    for (std::int64_t k = 0; k < g.k; ++k)
      for (std::int64_t c = 0; c < g.c; ++c) {
        const T slope = dkernels[((n * g.k + k) * g.taps() + t) * g.c + c];
        for (int i = 0; i < 4; ++i)
          if (tap.pixel[i] >= 0)
            dots[i] += slope * weight[(k * g.positions() + tap.pixel[i]) * g.c + c];
      }
    doffset[2 * at] = apply(tap.d_row, dots);
    doffset[2 * at + 1] = apply(tap.d_column, dots);
  });
}

template <class T>
void gradient(const GlobalDeformKernelGeometry& g, const T* weight, const T* offset,
              const T* dkernels, T* dweight, T* doffset) {
  if (dweight != nullptr) weight_gradient(g, offset, dkernels, dweight);
  if (doffset != nullptr) offset_gradient(g, weight, offset, dkernels, doffset);
}

}  // namespace

constinit FloatKernel<GlobalDeformKernelForward> cuda::global_deform_kernel_forward{forward,
                                                                                    forward};
constinit FloatKernel<GlobalDeformKernelGradient> cuda::global_deform_kernel_gradient{gradient,
                                                                                      gradient};

}  // namespace pliant
