// Elements chosen by index along the middle of three axes, and the way back.
#pragma once

#include <cstdint>
#include <limits>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

// x [outer reduced inner], y [outer count inner]. The index says, for each element of y, which of
// the `reduced` ones it is: [count], the same for all of outer and inner, or [outer count inner].
struct GatherGeometry {
  std::int64_t outer = 1, reduced = 1, inner = 1, count = 1;
  bool shared = false;  // the index is [count]

  PLIANT_HD std::int64_t in_y(std::int64_t o, std::int64_t k, std::int64_t j) const {
    return (o * count + k) * inner + j;
  }
  PLIANT_HD std::int64_t in_x(std::int64_t o, std::int64_t i, std::int64_t j) const {
    return (o * reduced + i) * inner + j;
  }
  PLIANT_HD std::int64_t in_index(std::int64_t o, std::int64_t k, std::int64_t j) const {
    return shared ? k : in_y(o, k, j);
  }
  PLIANT_HD bool is_known(std::int64_t i) const { return 0 <= i && i < reduced; }
};

// One element of y: NaN, or of integers 0, where the index is none of x's (a GPU's indices are not
// checked before).
template <class T>
PLIANT_HD T gather_one(const GatherGeometry& g, const T* x, const std::int64_t* index,
                       std::int64_t o, std::int64_t k, std::int64_t j) {
  const std::int64_t i = index[g.in_index(o, k, j)];
  return g.is_known(i) ? x[g.in_x(o, i, j)] : std::numeric_limits<T>::quiet_NaN();
}

// Adds one element of y to its place in x; an index that is none of x's adds nothing.
template <class T>
PLIANT_HD void scatter_one(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x,
                           std::int64_t o, std::int64_t k, std::int64_t j) {
  const std::int64_t i = index[g.in_index(o, k, j)];
  if (g.is_known(i)) x[g.in_x(o, i, j)] += y[g.in_y(o, k, j)];
}

// Notes at its place in x that element k of y names it.
PLIANT_HD inline void name_one(const GatherGeometry& g, const std::int64_t* index,
                               std::int64_t* last, std::int64_t o, std::int64_t k, std::int64_t j) {
  const std::int64_t i = index[g.in_index(o, k, j)];
  if (g.is_known(i)) last[g.in_x(o, i, j)] = k;
}

template <class T>
using Gather = void(const GatherGeometry&, const T* x, const std::int64_t* index, T* y);
// x is overwritten: 0, and what y adds.
template <class T>
using Scatter = void(const GatherGeometry&, const T* y, const std::int64_t* index, T* x);

// last [outer reduced inner]: the last k that names each element of x, or -1.
using LastNamed = void(const GatherGeometry&, const std::int64_t* index, std::int64_t* last);

using GatherKernel = Kernel<Gather<float>, Gather<double>, Gather<std::int64_t>,
                            Gather<std::int32_t>, Gather<std::uint8_t>>;

namespace cpu {
extern GatherKernel gather;
extern FloatKernel<Scatter> scatter;
extern Kernel<LastNamed> last_named;
}  // namespace cpu

namespace cuda {
extern GatherKernel gather;
extern FloatKernel<Scatter> scatter;
extern Kernel<LastNamed> last_named;
}  // namespace cuda

}  // namespace pliant
