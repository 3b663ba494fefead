// Deformable RoI pooling (Dai 2017; with a mask, Zhu 2018), plain or position-sensitive: geometry,
// formula and signatures, by the rule of the original operator.
//
//   y[r,i,j,o] = mask[r,i,j] * mean over the bin's samples of channel o*groups + group(i,j) of x
//
// Corners are rounded half away from zero: start = round(x1)*scale - 0.5, end = (round(x2)+1)*scale
// - 0.5, side = max(end - start, 0.1), bin = side/bins. Output channel o belongs to class
// o / (k/classes), whose (dx, dy) stand in trans[r, i*part/p, j*part/q, 2*class ..] and move the
// bin by trans * trans_std * side. Sample i of bin b lies at start + b*bin + that + i*bin/samples:
// no half step. Samples outside [-0.5, H-0.5] x [-0.5, W-0.5] are left out and not counted (NaN
// too), the others are clamped bilinear; a bin without a sample gives 0.
//
// By the rule of RoIAlign corners are not rounded: start = x1*scale - 0.5, side = (x2 - x1)*scale,
// samples lie half a step in, there are ceil(bin) of them where none are given, and one outside
// [-1, H] x [-1, W] is 0 but counts (roi_align.h).
#pragma once

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/roi.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

struct DeformRoIPoolGeometry {
  RoIGeometry region;
  std::int64_t part = 1;     // trans [r part part 2*classes]
  std::int64_t classes = 1;  // divides region.k
  std::int64_t samples = 1;  // of a bin along each axis
  double trans_std = 0;
  bool roi_align = false;

  PLIANT_HD std::int64_t class_channels() const { return region.k / classes; }
  // Where the dx of that class in bin (i, j) stands in trans; dy is next.
  PLIANT_HD std::int64_t trans_at(std::int64_t r, std::int64_t i, std::int64_t j,
                                  std::int64_t of_class) const {
    const std::int64_t row = i * part / region.p, column = j * part / region.q;
    return (((r * part + row) * part + column) * classes + of_class) * 2;
  }
  PLIANT_HD double start(double from) const {
    return (roi_align ? from : region_round(from)) * region.scale - 0.5;
  }
  // Length of a side that goes from `from` to `to` in input pixels.
  PLIANT_HD double side(double from, double to) const {
    const double start = this->start(from);
    if (roi_align) return to * region.scale - 0.5 - start;
    const double side = (region_round(to) + 1) * region.scale - 0.5 - start;
    return side > 0.1 ? side : 0.1;
  }
};

// The samples of bin `bin` of `bins` of that side, moved by `trans`. By the original rule their count
// is how many lie in the map, so the taps are to be counted instead.
PLIANT_HD inline BinSamples deform_roi_samples(const DeformRoIPoolGeometry& g, double from,
                                               double to, double trans, std::int64_t bin,
                                               std::int64_t bins, std::int64_t size) {
  const double side = g.side(from, to), length = side / static_cast<double>(bins);
  const double moved = static_cast<double>(bin) * length + trans * g.trans_std * side;
  const double count = g.samples > 0 ? static_cast<double>(g.samples) : std::ceil(length);
  const double step = length / count;
  return bin_samples(g.start(from) + moved + (g.roi_align ? 0.5 * step : 0), step, count, size);
}

template <class T>
PLIANT_HD AxisTap<T> deform_roi_tap(const DeformRoIPoolGeometry& g, double at, std::int64_t size) {
  if (g.roi_align) return region_tap<T>(at, -1, static_cast<double>(size), size);
  return region_tap<T>(at, -0.5, static_cast<double>(size) - 0.5, size);
}

// rois [r 5] are finite, with image indices in [0, n); trans and mask [r p q 1] may be null.
template <class T>
using DeformRoIPoolForward = void(const DeformRoIPoolGeometry&, const T* x, const T* rois,
                                  const T* trans, const T* mask, T* y, Workspace&);
// Each of dx, dtrans and dmask may be null and is then left out.
template <class T>
struct DeformRoIPoolGradientArgs {
  const T* x;
  const T* rois;
  const T* trans;
  const T* mask;
  const T* dy;
  T* dx;
  T* dtrans;
  T* dmask;
};
template <class T>
using DeformRoIPoolGradient = void(const DeformRoIPoolGeometry&,
                                   const DeformRoIPoolGradientArgs<T>& args, Workspace&);

namespace cpu {
extern FloatKernel<DeformRoIPoolForward> deform_roi_pool_forward;
extern FloatKernel<DeformRoIPoolGradient> deform_roi_pool_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<DeformRoIPoolForward> deform_roi_pool_forward;
extern FloatKernel<DeformRoIPoolGradient> deform_roi_pool_gradient;
}  // namespace cuda

}  // namespace pliant
