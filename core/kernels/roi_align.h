// RoIAlign (He 2017), also position-sensitive: geometry, formula and signatures, by torchvision's
// rule.
//
//   y[r,i,j,o] = mean over the bin's S_h x S_w samples of channel o*groups + group(i,j) of x
//
// With shift = 0.5 if half_pixel, else 0: start = x1*scale - shift, side = x2*scale - shift - start
// (at least 1 unless half_pixel), bin = side/bins, S = sampling_ratio or ceil(bin), and sample i of
// bin b lies at start + b*bin + (i + 0.5)*bin/S. A sample outside [-1, H] x [-1, W] is 0 but
// counts; the others are clamped bilinear. A bin without a sample gives 0.
#pragma once

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

struct RoIAlignGeometry {
  RoIGeometry region;
  std::int64_t sampling_ratio = 0;
  bool half_pixel = true;
};

// The samples of bin `bin` of `bins` of a side that goes from `from` to `to`, in input pixels.
PLIANT_HD inline BinSamples roi_align_samples(const RoIAlignGeometry& g, double from, double to,
                                              std::int64_t bin, std::int64_t bins,
                                              std::int64_t size) {
  const double shift = g.half_pixel ? 0.5 : 0.0;
  const double start = from * g.region.scale - shift;
  double side = to * g.region.scale - shift - start;
  if (!g.half_pixel && !(side > 1)) side = 1;
  const double length = side / static_cast<double>(bins);
  const double count =
      g.sampling_ratio > 0 ? static_cast<double>(g.sampling_ratio) : std::ceil(length);
  const double step = length / count;
  return bin_samples(start + static_cast<double>(bin) * length + 0.5 * step, step, count, size);
}

template <class T>
PLIANT_HD AxisTap<T> roi_align_tap(double at, std::int64_t size) {
  return region_tap<T>(at, -1, static_cast<double>(size), size);
}

// rois [r 5] are finite, with image indices in [0, n).
template <class T>
using RoIAlignForward = void(const RoIAlignGeometry&, const T* x, const T* rois, T* y, Workspace&);
template <class T>
using RoIAlignGradient = void(const RoIAlignGeometry&, const T* rois, const T* dy, T* dx,
                              Workspace&);

namespace cpu {
extern FloatKernel<RoIAlignForward> roi_align_forward;
extern FloatKernel<RoIAlignGradient> roi_align_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<RoIAlignForward> roi_align_forward;
extern FloatKernel<RoIAlignGradient> roi_align_gradient;
}  // namespace cuda

}  // namespace pliant
