#include <pliant/core/kernels/ps_roi_pool.h>

#include <pliant/core/cpu/roi_separable.h>

namespace pliant {
namespace {

template <class T>
auto pooling(const RoIGeometry& g, const T* rois) {
  const auto fill = [&g](cpu::AxisWindow<T>& window, double from, double to, std::int64_t bin,
                         std::int64_t bins, std::int64_t size) {
    const PixelRange pixels = ps_roi_pool_pixels(g, from, to, bin, bins, size);
    for (std::int64_t at = pixels.begin; at < pixels.end; ++at) window.add(at, T(1), T(0));
    window.count = static_cast<double>(pixels.end - pixels.begin);
  };
  return cpu::SeparablePooling<T, decltype(fill)>(g, rois, fill);
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

constinit FloatKernel<PSRoIPoolForward> cpu::ps_roi_pool_forward{forward, forward};
constinit FloatKernel<PSRoIPoolGradient> cpu::ps_roi_pool_gradient{gradient, gradient};

}  // namespace pliant
