#include <pliant/core/kernels/ps_roi_pool.h>

#include <pliant/core/kernels/region_separable_walk.h>

namespace pliant {
namespace {

template <class T>
auto pooling(const RegionGeometry& g, const T* rois) {
  const auto fill = [&g](cpu::AxisWindow<T>& window, double from, double to, std::int64_t bin,
                         std::int64_t bins, std::int64_t size) {
    const PixelRange pixels = ps_roi_pool_pixels(g, from, to, bin, bins, size);
    for (std::int64_t at = pixels.begin; at < pixels.end; ++at) window.add(at, T(1), T(0));
    window.count = static_cast<double>(pixels.end - pixels.begin);
  };
  return cpu::SeparablePooling<T, decltype(fill)>(g, rois, fill);
}

}  // namespace

void cpu::ps_roi_pool_forward(const RegionGeometry& g, const float* x, const float* rois, float* y,
                              Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

void cpu::ps_roi_pool_forward(const RegionGeometry& g, const double* x, const double* rois,
                              double* y, Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

void cpu::ps_roi_pool_gradient(const RegionGeometry& g, const float* rois, const float* dy,
                               float* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

void cpu::ps_roi_pool_gradient(const RegionGeometry& g, const double* rois, const double* dy,
                               double* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

}  // namespace pliant
