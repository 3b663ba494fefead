#include <pliant/core/kernels/roi_align.h>

#include <pliant/core/kernels/region_separable_walk.h>

namespace pliant {
namespace {

template <class T>
auto pooling(const RoiAlignGeometry& g, const T* rois) {
  const auto fill = [&g](cpu::AxisWindow<T>& window, double from, double to, std::int64_t bin,
                         std::int64_t bins, std::int64_t size) {
    const BinSamples samples = roi_align_samples(g, from, to, bin, bins, size);
    window.add(samples, [size](double at) { return roi_align_tap<T>(at, size); });
    window.count = samples.count;  // those outside the map too
  };
  return cpu::SeparablePooling<T, decltype(fill)>(g.region, rois, fill);
}

}  // namespace

void cpu::roi_align_forward(const RoiAlignGeometry& g, const float* x, const float* rois, float* y,
                            Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

void cpu::roi_align_forward(const RoiAlignGeometry& g, const double* x, const double* rois,
                            double* y, Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

void cpu::roi_align_gradient(const RoiAlignGeometry& g, const float* rois, const float* dy,
                             float* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

void cpu::roi_align_gradient(const RoiAlignGeometry& g, const double* rois, const double* dy,
                             double* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

}  // namespace pliant
