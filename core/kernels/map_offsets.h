// Map offsets (the layer of Laumon's and oeway's code): every pixel of every channel is fetched
// from a place of its own. Geometry, formula and signatures.
//
//   y[n,i,j,c] = channel c of x[n] at (i + offset[n,i,j,2c], j + offset[n,i,j,2c+1])
//
// by bilinear interpolation with coordinates clamped to the map. The derivative at integer
// coordinates is the right-hand one, so offsets that start at zero learn; the published code's is
// zero there (AtIntegers::zero).
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/bilinear.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

struct MapOffsetsGeometry {
  std::int64_t n, h, w, c;  // x and y [n h w c], offset [n h w 2c]
  AtIntegers at_integers = AtIntegers::right_derivative;
};

// What y[.,i,j,c] reads of its channel, its pair of offsets being (dy, dx). The rule is handed over
// beside the geometry, so that a loop can have it as a constant.
template <class T>
PLIANT_HD BilinearTap<T> map_offsets_tap(const MapOffsetsGeometry& geometry, std::int64_t i,
                                         std::int64_t j, T dy, T dx, AtIntegers at_integers) {
  return bilinear_tap(static_cast<T>(i) + dy, static_cast<T>(j) + dx, geometry.h, geometry.w,
                      Border::clamp, at_integers);
}

template <class T>
using MapOffsetsForward = void(const MapOffsetsGeometry&, const T* x, const T* offset, T* y,
                               Workspace&);
// dx and doffset may be null and are then left out.
template <class T>
using MapOffsetsGradient = void(const MapOffsetsGeometry&, const T* x, const T* offset, const T* dy,
                                T* dx, T* doffset, Workspace&);

namespace cpu {
extern FloatKernel<MapOffsetsForward> map_offsets_forward;
extern FloatKernel<MapOffsetsGradient> map_offsets_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<MapOffsetsForward> map_offsets_forward;
extern FloatKernel<MapOffsetsGradient> map_offsets_gradient;
}  // namespace cuda

}  // namespace pliant
