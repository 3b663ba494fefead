// The order of the elements along the middle of three axes: x [outer length inner] -> index
// [outer count inner], the first `count` places of the sorted line.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct ArgsortGeometry {
  std::int64_t outer = 1, length = 1, inner = 1, count = 1;
  bool descending = false;

  // Place `rank` of line `line`, of which there are outer * inner.
  PLIANT_HD std::int64_t in_index(std::int64_t line, std::int64_t rank) const {
    return (line / inner * count + rank) * inner + line % inner;
  }
  PLIANT_HD std::int64_t in_x(std::int64_t line, std::int64_t k) const {
    return (line / inner * length + k) * inner + line % inner;
  }
};

// A number whose order is that in which elements are to come: NaN is larger than anything, zeros
// are equal.
template <class T>
PLIANT_HD std::uint64_t sort_key(const ArgsortGeometry& g, T x) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
  std::uint64_t key = 0;
  if constexpr (std::is_integral_v<T>) {
    key = static_cast<std::uint64_t>(x) ^ kSign;
  } else {
    const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(x) + 0.0);  // -0: 0
    key = x != x ? ~std::uint64_t{0} : (bits & kSign) != 0 ? ~bits : bits | kSign;
  }
  return g.descending ? ~key : key;
}

// Stable: equals come in the order of x. All indices of a line at once, or the first count of them.
template <class T>
using Argsort = void(const ArgsortGeometry&, const T* x, std::int64_t* index, Workspace&);

namespace cpu {
extern NumberKernel<Argsort> argsort;
}  // namespace cpu

namespace cuda {
extern NumberKernel<Argsort> argsort;
}  // namespace cuda

}  // namespace pliant
