#include <pliant/core/kernels/ps_roi_pool.h>

#include <pliant/cuda/roi_separable.cuh>

namespace pliant {
namespace {

// What a bin reads along one axis: whole pixels.
template <class T>
struct Fill {
  RoIGeometry g;

  __device__ double operator()(double from, double to, std::int64_t bin, std::int64_t bins,
                               std::int64_t size, cuda::AxisWindow<T>& window) const {
    const PixelRange pixels = ps_roi_pool_pixels(g, from, to, bin, bins, size);
    for (std::int64_t at = pixels.begin; at < pixels.end; ++at) window.add(at, T(1));
    return static_cast<double>(pixels.end - pixels.begin);
  }
};

template <class T>
cuda::SeparablePooling<T, Fill<T>> pooling(const RoIGeometry& g, const T* rois) {
  return {"ps_roi_pool", g, rois, {g}};
}

template <class T>
void forward(const RoIGeometry& g, const T* x, const T* rois, T* y, Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

template <class T>
void gradient(const RoIGeometry& g, const T* rois, const T* dy, T* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

}  // namespace

constinit FloatKernel<PSRoIPoolForward> cuda::ps_roi_pool_forward{forward, forward};
constinit FloatKernel<PSRoIPoolGradient> cuda::ps_roi_pool_gradient{gradient, gradient};

}  // namespace pliant
