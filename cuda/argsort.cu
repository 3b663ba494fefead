#include <pliant/core/kernels/argsort.h>

#include <algorithm>
#include <limits>

#include <pliant/cuda/sort.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "argsort";

// All elements by their keys and then, stable as that sort is, by their lines: one after the other
// every line has its elements in order.
template <class T>
void argsort_all(const ArgsortGeometry& g, const T* x, std::int64_t* index, Workspace& workspace) {
  const std::int64_t lines = g.outer * g.inner, n = lines * g.length;
  require(n <= std::numeric_limits<std::int32_t>::max(), kOp, ": ", n,
          " elements are too many for a GPU, expected at most 2^31 - 1");
  std::uint64_t* const keys = workspace.take<std::uint64_t>(n);
  cuda::each(kOp, n, [=] __device__(std::int64_t i) {
    keys[i] = sort_key(g, x[g.in_x(i / g.length, i % g.length)]);
  });
  const std::int32_t* const by_key = cuda::sort_by_key(kOp, n, keys, workspace);
  std::int32_t* const line = workspace.take<std::int32_t>(n);
  cuda::each(kOp, n, [=] __device__(std::int64_t i) {
    line[i] = static_cast<std::int32_t>(by_key[i] / g.length);
  });
  const std::int32_t* const order =
      cuda::sort_by_key(kOp, n, line, std::max<std::int64_t>(lines - 1, 1), workspace).values;
  cuda::each(kOp, lines * g.count, [=] __device__(std::int64_t i) {
    const std::int64_t at = i / g.count, rank = i % g.count;
    index[g.in_index(at, rank)] = by_key[order[at * g.length + rank]] % g.length;
  });
}

}  // namespace

constinit NumberKernel<Argsort> cuda::argsort{argsort_all, argsort_all, argsort_all};

}  // namespace pliant
