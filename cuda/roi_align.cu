#include <pliant/core/kernels/roi_align.h>

#include <pliant/cuda/roi_separable.cuh>

namespace pliant {
namespace {

// What a bin reads along one axis.
template <class T>
struct Fill {
  RoIAlignGeometry g;

  __device__ double operator()(double from, double to, std::int64_t bin, std::int64_t bins,
                               std::int64_t size, cuda::AxisWindow<T>& window) const {
    const BinSamples samples = roi_align_samples(g, from, to, bin, bins, size);
    for (std::int64_t i = samples.begin; i < samples.end; ++i) {
      const AxisTap<T> tap = roi_align_tap<T>(samples.at(i), size);
      if (tap.low >= 0) window.add(tap.low, tap.low_weight);
      if (tap.high >= 0) window.add(tap.high, tap.high_weight);
    }
    return samples.count;  // those outside the map too
  }
};

template <class T>
cuda::SeparablePooling<T, Fill<T>> pooling(const RoIAlignGeometry& g, const T* rois) {
  return {"roi_align", g.region, rois, {g}};
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

constinit FloatKernel<RoIAlignForward> cuda::roi_align_forward{forward, forward};
constinit FloatKernel<RoIAlignGradient> cuda::roi_align_gradient{gradient, gradient};

}  // namespace pliant
