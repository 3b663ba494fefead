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

  PLIANT_HD std::int64_t class_channels() const { return region.k / classes; }
  // Where the dx of that class in bin (i, j) stands in trans; dy is next.
  PLIANT_HD std::int64_t trans_at(std::int64_t r, std::int64_t i, std::int64_t j,
                                  std::int64_t of_class) const {
    const std::int64_t row = i * part / region.p, column = j * part / region.q;
    return (((r * part + row) * part + column) * classes + of_class) * 2;
  }
  // Length of a side that goes from `from` to `to` in input pixels.
  PLIANT_HD double side(double from, double to) const {
    const double start = region_round(from) * region.scale - 0.5;
    const double side = (region_round(to) + 1) * region.scale - 0.5 - start;
    return side > 0.1 ? side : 0.1;
  }
};

// The samples of bin `bin` of `bins` of that side, moved by `trans`. Their count is how many lie in
// the map, so the taps are to be counted instead.
PLIANT_HD inline BinSamples deform_roi_samples(const DeformRoIPoolGeometry& g, double from,
                                               double to, double trans, std::int64_t bin,
                                               std::int64_t bins, std::int64_t size) {
  const double side = g.side(from, to), length = side / static_cast<double>(bins);
  const double start = region_round(from) * g.region.scale - 0.5;
  const double first = start + static_cast<double>(bin) * length + trans * g.trans_std * side;
  const double count = static_cast<double>(g.samples);
  return bin_samples(first, length / count, count, size);
}

template <class T>
PLIANT_HD AxisTap<T> deform_roi_tap(double at, std::int64_t size) {
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
