// Copies a box of elements between two tensors, each walked with strides of its own: what slice,
// pad and concat are made of.
#pragma once

#include <cstdint>
#include <span>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

// The box's extents, outermost first, where its first element lies, and how far one step along
// each axis moves (in elements). Axes of extent 1 are left out and neighbouring axes that can be
// walked as one are merged.
struct CopyBoxGeometry {
  int rank = 0;  // at least 1
  std::int64_t x_start = 0, y_start = 0;
  std::int64_t extent[Shape::kMaxRank];
  std::int64_t x_stride[Shape::kMaxRank];
  std::int64_t y_stride[Shape::kMaxRank];

  PLIANT_HD std::int64_t size() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank; ++i) product *= extent[i];
    return product;
  }
};

// A box within a tensor: its first element's place and the distance of its elements along each
// axis.
struct Box {
  const Shape& tensor;
  std::span<const std::int64_t> start, step;  // one for every axis
};
// From a box of x to a box of y, both of `extents` elements.
CopyBoxGeometry copy_box_geometry(const Shape& extents, const Box& x, const Box& y);

// Where element `at` of the box lies in x and y, relative to their starts.
struct CopyBoxPlace {
  std::int64_t x = 0, y = 0;
};
PLIANT_HD inline CopyBoxPlace copy_box_place(const CopyBoxGeometry& g, int rank, std::int64_t at) {
  CopyBoxPlace place;
  for (int i = rank - 1; i >= 0; --i) {
    const std::int64_t index = at % g.extent[i];
    at /= g.extent[i];
    place.x += index * g.x_stride[i];
    place.y += index * g.y_stride[i];
  }
  return place;
}

// x and y must not overlap; what is outside the box of y stays.
template <class T>
using CopyBox = void(const CopyBoxGeometry&, const T* x, T* y);

namespace cpu {
extern AnyKernel<CopyBox> copy_box;
}  // namespace cpu

namespace cuda {
extern AnyKernel<CopyBox> copy_box;
}  // namespace cuda

}  // namespace pliant
