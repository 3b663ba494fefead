// RoI max pooling (Girshick 2015): geometry, formula and signatures.
//
//   y[r,i,j,c] = max of channel c of x over the bin's pixels, 0 if it has none
//
// Corners are rounded half away from zero: start = round(x1*scale), side = round(x2*scale) - start
// + 1, at least 1; the bins are those of bin_pixels().
#pragma once

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

// The pixels of bin `bin` of `bins` of a side that goes from `from` to `to`, in input pixels.
PLIANT_HD inline PixelRange roi_pool_pixels(const RoIGeometry& g, double from, double to,
                                            std::int64_t bin, std::int64_t bins,
                                            std::int64_t size) {
  const double start = region_round(from * g.scale);
  const double side = region_round(to * g.scale) - start + 1;
  return bin_pixels(start, side > 1 ? side : 1, bin, bins, size);
}

// index [r p q k]: where each largest pixel lies in its map, row * w + column; the first largest,
// NaN being larger than anything; -1 for a bin without a pixel. rois [r 5] are finite, with image
// indices in [0, n). groups() is 1.
template <class T>
using RoIPoolForward = void(const RoIGeometry&, const T* x, const T* rois, T* y,
                            std::int32_t* index);
template <class T>
using RoIPoolGradient = void(const RoIGeometry&, const T* rois, const std::int32_t* index,
                             const T* dy, T* dx, Workspace&);

namespace cpu {
extern FloatKernel<RoIPoolForward> roi_pool_forward;
extern FloatKernel<RoIPoolGradient> roi_pool_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<RoIPoolForward> roi_pool_forward;
extern FloatKernel<RoIPoolGradient> roi_pool_gradient;
}  // namespace cuda

}  // namespace pliant
