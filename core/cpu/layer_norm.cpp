#include <pliant/core/kernels/layer_norm.h>

#include <algorithm>

#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kRows = 64;  // of a task

template <class T>
void forward(const LayerNormGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  parallel_blocks(g.rows, kRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      normalise_row(g, x + row * g.c, weight, bias, y + row * g.c);
  });
}

// At most kMostPartials chunks of rows, each with a partial sum for the weights, added up in order.
template <class T>
void gradient(const LayerNormGeometry& g, const T* x, const T* weight, const T* dy, T* dx,
              T* dweight, Workspace& workspace) {
  constexpr std::int64_t kRun = 16;  // rows that are added up in T
  const std::int64_t blocks = (g.rows + kRows - 1) / kRows;
  const std::int64_t own = (blocks + cpu::kMostPartials - 1) / cpu::kMostPartials * kRows;
  const std::int64_t chunks = blocks == 0 ? 0 : (g.rows + own - 1) / own;
  double* const partials = workspace.take<double>(chunks * g.c);
  T* const runs = workspace.take<T>(chunks * g.c);
  parallel_for(chunks, [&](std::int64_t chunk) {
    double* const sums = partials + chunk * g.c;
    T* const run = runs + chunk * g.c;
    std::fill_n(sums, g.c, 0.0);
    const std::int64_t end = std::min(g.rows, (chunk + 1) * own);
    for (std::int64_t first = chunk * own; first < end; first += kRun) {
      std::fill_n(run, g.c, T(0));
      for (std::int64_t row = first; row < std::min(end, first + kRun); ++row) {
        const std::int64_t at = row * g.c;
        const NormRow<T> statistics = row_statistics(g, x + at);
        if (dx != nullptr) row_gradient(g, statistics, x + at, weight, dy + at, dx + at);
        if (dweight == nullptr) continue;
        const NormScale<T> bare = norm_scale(statistics, T(1), T(0));
        for (std::int64_t i = 0; i < g.c; ++i) run[i] += dy[at + i] * bare.y(x[at + i]);
      }
      for (std::int64_t i = 0; i < g.c; ++i) sums[i] += static_cast<double>(run[i]);
    }
  });
  if (dweight == nullptr) return;
  for (std::int64_t i = 0; i < g.c; ++i) {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += partials[chunk * g.c + i];
    dweight[i] = static_cast<T>(sum);
  }
}

}  // namespace

constinit FloatKernel<LayerNormForward> cpu::layer_norm_forward{forward, forward};
constinit FloatKernel<LayerNormGradient> cpu::layer_norm_gradient{gradient, gradient};

}  // namespace pliant
