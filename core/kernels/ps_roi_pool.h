// Position-sensitive RoI average pooling (Dai 2016, R-FCN): geometry, formula and signatures.
//
//   y[r,i,j,o] = mean of channel o*groups + group(i,j) of x over the bin's pixels, 0 if it has none
//
// Corners are rounded half away from zero: start = round(x1*scale), side = round(x2*scale) - start,
// at least 1; the bins are those of bin_pixels().
#pragma once

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

// The pixels of bin `bin` of `bins` of a side that goes from `from` to `to`, in input pixels.
PLIANT_HD inline PixelRange ps_roi_pool_pixels(const RoIGeometry& g, double from, double to,
                                               std::int64_t bin, std::int64_t bins,
                                               std::int64_t size) {
  const double start = region_round(from * g.scale);
  const double side = region_round(to * g.scale) - start;
  return bin_pixels(start, side > 1 ? side : 1, bin, bins, size);
}

// rois [r 5] are finite, with image indices in [0, n).
template <class T>
using PSRoIPoolForward = void(const RoIGeometry&, const T* x, const T* rois, T* y, Workspace&);
template <class T>
using PSRoIPoolGradient = void(const RoIGeometry&, const T* rois, const T* dy, T* dx, Workspace&);

namespace cpu {
extern FloatKernel<PSRoIPoolForward> ps_roi_pool_forward;
extern FloatKernel<PSRoIPoolGradient> ps_roi_pool_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<PSRoIPoolForward> ps_roi_pool_forward;
extern FloatKernel<PSRoIPoolGradient> ps_roi_pool_gradient;
}  // namespace cuda

}  // namespace pliant
