// Permutation of axes: geometry, formula and signatures.
#pragma once

#include <cstdint>
#include <span>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

// y's extents, outermost first, and how far one step along each moves in x (in elements). Axes of
// extent 1 are left out and axes that are neighbours in both tensors are one, so a permutation
// that moves no element has rank 0 (one element) or 1 (stride 1).
struct PermuteGeometry {
  int rank = 0;
  std::int64_t extent[Shape::kMaxRank];
  std::int64_t x_stride[Shape::kMaxRank];

  PLIANT_HD std::int64_t size() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank; ++i) product *= extent[i];
    return product;
  }
};

// For y whose axis i is axis axes[i] of x; `axes` names each of x's once.
PermuteGeometry permute_geometry(const Shape& x, std::span<const int> axes);

// Where in x element `at` of y comes from.
PLIANT_HD inline std::int64_t permute_source(const PermuteGeometry& g, std::int64_t at) {
  std::int64_t from = 0;
  for (int i = g.rank - 1; i >= 0; --i) {
    from += at % g.extent[i] * g.x_stride[i];
    at /= g.extent[i];
  }
  return from;
}

// x and y must not overlap.
template <class T>
using Permute = void(const PermuteGeometry&, const T* x, T* y);

namespace cpu {
extern AnyKernel<Permute> permute;
}  // namespace cpu

namespace cuda {
extern AnyKernel<Permute> permute;
}  // namespace cuda

}  // namespace pliant
