#include <pliant/core/kernels/cumsum.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kColumns = 256;  // neighbouring lines of a task

// A task owns neighbouring lines and walks along them together.
template <class T>
void cumsum_all(const CumsumGeometry& g, const T* x, T* y) {
  const std::int64_t bands = (g.inner + kColumns - 1) / kColumns;
  parallel_for(g.outer * bands, [&](std::int64_t task) {
    const std::int64_t o = task / bands, first = task % bands * kColumns;
    const std::int64_t last = std::min(g.inner, first + kColumns);
    double sums[kColumns] = {};
    for (std::int64_t step = 0; step < g.length; ++step)
      for (std::int64_t j = first; j < last; ++j) cumsum_step(g, o, step, j, x, sums[j - first], y);
  });
}

}  // namespace

constinit FloatKernel<Cumsum> cpu::cumsum{cumsum_all, cumsum_all};

}  // namespace pliant
