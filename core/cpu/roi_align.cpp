#include <pliant/core/kernels/roi_align.h>

#include <pliant/core/cpu/roi_separable.h>

namespace pliant {
namespace {

template <class T>
auto pooling(const RoIAlignGeometry& g, const T* rois) {
  const auto fill = [&g](cpu::AxisWindow<T>& window, double from, double to, std::int64_t bin,
                         std::int64_t bins, std::int64_t size) {
    const BinSamples samples = roi_align_samples(g, from, to, bin, bins, size);
    window.add(samples, [size](double at) { return roi_align_tap<T>(at, size); });
    window.count = samples.count;  // those outside the map too
  };
  return cpu::SeparablePooling<T, decltype(fill)>(g.region, rois, fill);
}

template <class T>
void forward(const RoIAlignGeometry& g, const T* x, const T* rois, T* y, Workspace& workspace) {
  pooling(g, rois).forward(x, y, workspace);
}

template <class T>
void gradient(const RoIAlignGeometry& g, const T* rois, const T* dy, T* dx, Workspace& workspace) {
  pooling(g, rois).gradient(dy, dx, workspace);
}

}  // namespace

constinit FloatKernel<RoIAlignForward> cpu::roi_align_forward{forward, forward};
constinit FloatKernel<RoIAlignGradient> cpu::roi_align_gradient{gradient, gradient};

}  // namespace pliant
