#include <pliant/core/kernels/reduce.h>

#include <bit>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr std::int64_t kRun = 64;       // terms that one thread takes together
constexpr std::int64_t kColumns = 256;  // neighbours that are reduced side by side

// One round: the rows of each outer slice, `fold` of them as one wide row (so that neighbouring
// threads read neighbours even where inner is 1), are cut into runs of kRun wide rows, and each
// column of a run becomes one term. to [outer runs * fold inner].
template <class F, class T>
void reduce_runs(const ReduceGeometry& g, std::int64_t fold, std::int64_t runs, const T* from,
                 T* to) {
  const std::int64_t width = fold * g.inner, slice = g.reduced * g.inner;
  cuda::each("reduce", g.outer * runs * width, [=] __device__(std::int64_t i) {
    const std::int64_t column = i % width, run = i / width % runs, outer = i / width / runs;
    T held = F::template kOfNothing<T>;
    for (std::int64_t row = run * kRun; row < (run + 1) * kRun; ++row) {
      const std::int64_t at = row * width + column;
      if (at < slice) held = F{}(held, from[outer * slice + at]);
    }
    to[i] = held;
  });
}

// Rounds until one term is left: a tree whose shape follows from the geometry alone.
template <class F, class T>
void reduce(ReduceGeometry g, const T* x, T* y, Workspace& workspace) {
  while (true) {
    const std::int64_t widest =
        std::min(kColumns / std::clamp<std::int64_t>(g.inner, 1, kColumns), g.reduced / kRun);
    const std::int64_t fold = static_cast<std::int64_t>(
        std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(widest, 1))));
    const std::int64_t rows = (g.reduced + fold - 1) / fold;
    const std::int64_t runs = std::max<std::int64_t>((rows + kRun - 1) / kRun, 1);
    const bool last = runs * fold == 1;
    T* const to = last ? y : workspace.take<T>(g.outer * runs * fold * g.inner);
    reduce_runs<F>(g, fold, runs, x, to);
    if (last) return;
    x = to;
    g.reduced = runs * fold;
  }
}

template <class T>
void argmax(const ReduceGeometry& g, const T* x, std::int64_t* index) {
  cuda::each("argmax", g.outer * g.inner, [=] __device__(std::int64_t i) {
    const T* const column = x + i / g.inner * g.reduced * g.inner + i % g.inner;
    std::int64_t best = 0;
    for (std::int64_t row = 1; row < g.reduced; ++row)
      if (takes_over(column[row * g.inner], column[best * g.inner])) best = row;
    index[i] = best;
  });
}

}  // namespace

void cuda::sum_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<SumOf>(g, x, y, workspace);
}
void cuda::sum_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<SumOf>(g, x, y, workspace);
}
void cuda::max_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<MaxOf>(g, x, y, workspace);
}
void cuda::max_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<MaxOf>(g, x, y, workspace);
}
void cuda::min_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<MinOf>(g, x, y, workspace);
}
void cuda::min_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<MinOf>(g, x, y, workspace);
}
void cuda::argmax_forward(const ReduceGeometry& g, const float* x, std::int64_t* index) {
  argmax(g, x, index);
}
void cuda::argmax_forward(const ReduceGeometry& g, const double* x, std::int64_t* index) {
  argmax(g, x, index);
}

}  // namespace pliant
