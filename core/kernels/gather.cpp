#include <pliant/core/kernels/gather.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 16384;  // elements a task, about
constexpr std::int64_t kColumns = 32;   // neighbours that a task adds into

template <class T>
void gather_all(const GatherGeometry& g, const T* x, const std::int64_t* index, T* y) {
  parallel_blocks(g.outer * g.count,
                  std::max<std::int64_t>(1, kBlock / std::max(g.inner, std::int64_t{1})),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      const std::int64_t o = row / g.count, k = row % g.count;
                      for (std::int64_t j = 0; j < g.inner; ++j)
                        y[g.in_y(o, k, j)] = gather_one(g, x, index, o, k, j);
                    }
                  });
}

// A task owns neighbouring columns of x and walks y in order.
template <class T>
void scatter_all(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x) {
  const std::int64_t bands = (g.inner + kColumns - 1) / kColumns;
  const std::int64_t work = std::min(g.inner, kColumns) * (g.reduced + g.count);
  parallel_blocks(g.outer * bands,
                  std::max<std::int64_t>(1, kBlock / std::max(work, std::int64_t{1})),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t task = begin; task < end; ++task) {
                      const std::int64_t o = task / bands, first = task % bands * kColumns;
                      const std::int64_t columns = std::min(kColumns, g.inner - first);
                      for (std::int64_t i = 0; i < g.reduced; ++i)
                        std::fill_n(x + g.in_x(o, i, first), columns, T(0));
                      for (std::int64_t k = 0; k < g.count; ++k)
                        for (std::int64_t j = first; j < first + columns; ++j)
                          scatter_one(g, y, index, x, o, k, j);
                    }
                  });
}

}  // namespace

void cpu::gather(const GatherGeometry& g, const float* x, const std::int64_t* index, float* y) {
  gather_all(g, x, index, y);
}
void cpu::gather(const GatherGeometry& g, const double* x, const std::int64_t* index, double* y) {
  gather_all(g, x, index, y);
}
void cpu::scatter(const GatherGeometry& g, const float* y, const std::int64_t* index, float* x) {
  scatter_all(g, y, index, x);
}
void cpu::scatter(const GatherGeometry& g, const double* y, const std::int64_t* index, double* x) {
  scatter_all(g, y, index, x);
}

}  // namespace pliant
