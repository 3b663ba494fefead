#include <pliant/core/kernels/gather.h>

#include <algorithm>
#include <vector>

#include <pliant/core/cpu/held_sums.h>
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

// Sums of float32 are held in float64 where the sums of a task are few beside what is added, or fit
// into a cache.
template <class T>
bool holds_sums(const GatherGeometry& g) {
  constexpr std::int64_t kCached = std::int64_t{1} << 15;
  return sizeof(T) < sizeof(double) &&
         (g.reduced * kColumns <= kCached || g.reduced <= g.count / 8);
}

// Columns first .. first + columns - 1 of x.
template <class T>
void scatter_columns(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x,
                     std::int64_t o, std::int64_t first, std::int64_t columns) {
  for (std::int64_t i = 0; i < g.reduced; ++i) std::fill_n(x + g.in_x(o, i, first), columns, T(0));
  cpu::HeldSums<T> held(x + g.in_x(o, 0, first), g.reduced, columns, g.inner);
  for (std::int64_t k = 0; k < g.count; ++k) {
    if (g.shared && g.is_known(index[k])) held.count(index[k]);
    for (std::int64_t j = first; j < first + columns; ++j) {
      if (const std::int64_t i = index[g.in_index(o, k, j)]; !g.shared && g.is_known(i))
        held.count(i);
      scatter_one(g, y, index, x, o, k, j);
    }
  }
  held.finish();
}

template <class T>
void scatter_held(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x,
                  std::int64_t o, std::int64_t first, std::int64_t columns,
                  std::vector<double>& sums) {
  sums.assign(static_cast<std::size_t>(g.reduced * columns), 0);
  for (std::int64_t k = 0; k < g.count; ++k)
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t i = index[g.in_index(o, k, first + j)];
      if (g.is_known(i))
        sums[static_cast<std::size_t>(i * columns + j)] +=
            static_cast<double>(y[g.in_y(o, k, first + j)]);
    }
  for (std::int64_t i = 0; i < g.reduced; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      x[g.in_x(o, i, first + j)] = static_cast<T>(sums[static_cast<std::size_t>(i * columns + j)]);
}

// A task owns neighbouring columns of x and walks y in order.
template <class T>
void scatter_all(const GatherGeometry& g, const T* y, const std::int64_t* index, T* x) {
  const std::int64_t bands = (g.inner + kColumns - 1) / kColumns;
  const std::int64_t work = std::min(g.inner, kColumns) * (g.reduced + g.count);
  const bool held = holds_sums<T>(g);
  parallel_blocks(g.outer * bands,
                  std::max<std::int64_t>(1, kBlock / std::max(work, std::int64_t{1})),
                  [&](std::int64_t begin, std::int64_t end) {
                    std::vector<double> sums;
                    for (std::int64_t task = begin; task < end; ++task) {
                      const std::int64_t o = task / bands, first = task % bands * kColumns;
                      const std::int64_t columns = std::min(kColumns, g.inner - first);
                      if (held)
                        scatter_held(g, y, index, x, o, first, columns, sums);
                      else
                        scatter_columns(g, y, index, x, o, first, columns);
                    }
                  });
}

// A task owns an outer slice of x and walks the index in order.
void name_all(const GatherGeometry& g, const std::int64_t* index, std::int64_t* last) {
  const std::int64_t slice = g.reduced * g.inner, work = slice + g.count * g.inner;
  parallel_blocks(g.outer, std::max<std::int64_t>(1, kBlock / std::max(work, std::int64_t{1})),
                  [&](std::int64_t begin, std::int64_t end) {
                    std::fill(last + begin * slice, last + end * slice, -1);
                    for (std::int64_t o = begin; o < end; ++o)
                      for (std::int64_t k = 0; k < g.count; ++k)
                        for (std::int64_t j = 0; j < g.inner; ++j)
                          name_one(g, index, last, o, k, j);
                  });
}

}  // namespace

constinit GatherKernel cpu::gather{gather_all, gather_all, gather_all, gather_all, gather_all};
constinit FloatKernel<Scatter> cpu::scatter{scatter_all, scatter_all};
constinit Kernel<LastNamed> cpu::last_named{name_all};

}  // namespace pliant
