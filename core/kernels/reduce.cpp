#include <pliant/core/kernels/reduce.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Sums are two-level (runs of kRun terms, then the runs), so that the error grows with the number
// of runs and not of terms.
constexpr std::int64_t kRun = 128;
constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kMaxParts = 16;

// n neighbours, in kLanes strands.
template <class F, class T>
T reduce_contiguous(const T* x, std::int64_t n) {
  constexpr F combine;
  T total[kLanes];
  std::fill_n(total, kLanes, F::template kOfNothing<T>);
  for (std::int64_t at = 0; at < n; at += kRun * kLanes) {
    const std::int64_t end = std::min(n, at + kRun * kLanes);
    T strand[kLanes];
    std::fill_n(strand, kLanes, F::template kOfNothing<T>);
    std::int64_t i = at;
    for (; i + kLanes <= end; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        strand[lane] = combine(strand[lane], x[i + lane]);
    for (; i < end; ++i) strand[i % kLanes] = combine(strand[i % kLanes], x[i]);
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
      total[lane] = combine(total[lane], strand[lane]);
  }
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t lane = 0; lane < half; ++lane)
      total[lane] = combine(total[lane], total[lane + half]);
  return total[0];
}

// y[j] = all rows of x[row * stride + j], j in [0, columns); columns <= kColumns.
constexpr std::int64_t kColumns = 256;
template <class F, class T>
void reduce_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns, T* y) {
  constexpr F combine;
  T total[kColumns];
  std::fill_n(total, columns, F::template kOfNothing<T>);
  for (std::int64_t at = 0; at < rows; at += kRun) {
    T strand[kColumns];
    std::fill_n(strand, columns, F::template kOfNothing<T>);
    for (std::int64_t row = at; row < std::min(rows, at + kRun); ++row)
      for (std::int64_t j = 0; j < columns; ++j)
        strand[j] = combine(strand[j], x[row * stride + j]);
    for (std::int64_t j = 0; j < columns; ++j) total[j] = combine(total[j], strand[j]);
  }
  std::copy_n(total, columns, y);
}

// Reduces rows begin .. end-1 of one outer slice into y [inner].
template <class F, class T>
void reduce_slice(const ReduceGeometry& g, const T* x, std::int64_t begin, std::int64_t end, T* y) {
  if (g.inner == 1) {
    *y = reduce_contiguous<F>(x + begin, end - begin);
    return;
  }
  for (std::int64_t j = 0; j < g.inner; j += kColumns)
    reduce_rows<F>(x + begin * g.inner + j, end - begin, g.inner, std::min(kColumns, g.inner - j),
                   y + j);
}

template <class F, class T>
void reduce(const ReduceGeometry& g, const T* x, T* y, Workspace& workspace) {
  const std::int64_t slice = g.reduced * g.inner;
  const std::int64_t grain = 32768;  // elements a task
  const std::int64_t parts = std::clamp<std::int64_t>(
      slice / grain, 1, std::min(kMaxParts, std::max<std::int64_t>(1, g.reduced)));
  if (parts == 1) {
    parallel_blocks(g.outer, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, slice)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t o = begin; o < end; ++o)
                        reduce_slice<F>(g, x + o * slice, 0, g.reduced, y + o * g.inner);
                    });
    return;
  }
  T* const partial = workspace.take<T>(g.outer * parts * g.inner);  // [outer parts inner]
  const std::int64_t rows = (g.reduced + parts - 1) / parts;
  parallel_for(g.outer * parts, [&](std::int64_t task) {
    const std::int64_t o = task / parts, part = task % parts;
    const std::int64_t begin = std::min(g.reduced, part * rows);
    reduce_slice<F>(g, x + o * slice, begin, std::min(g.reduced, begin + rows),
                    partial + task * g.inner);
  });
  for (std::int64_t o = 0; o < g.outer; ++o)
    reduce_slice<F>(ReduceGeometry{1, parts, g.inner}, partial + o * parts * g.inner, 0, parts,
                    y + o * g.inner);
}

template <class T>
void argmax(const ReduceGeometry& g, const T* x, std::int64_t* index) {
  parallel_blocks(g.outer,
                  std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, g.reduced * g.inner)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t o = begin; o < end; ++o)
                      for (std::int64_t j = 0; j < g.inner; ++j) {
                        const T* const column = x + o * g.reduced * g.inner + j;
                        std::int64_t best = 0;
                        for (std::int64_t i = 1; i < g.reduced; ++i)
                          if (takes_over(column[i * g.inner], column[best * g.inner])) best = i;
                        index[o * g.inner + j] = best;
                      }
                  });
}

}  // namespace

void cpu::sum_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<SumOf>(g, x, y, workspace);
}
void cpu::sum_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<SumOf>(g, x, y, workspace);
}
void cpu::max_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<MaxOf>(g, x, y, workspace);
}
void cpu::max_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<MaxOf>(g, x, y, workspace);
}
void cpu::min_forward(const ReduceGeometry& g, const float* x, float* y, Workspace& workspace) {
  reduce<MinOf>(g, x, y, workspace);
}
void cpu::min_forward(const ReduceGeometry& g, const double* x, double* y, Workspace& workspace) {
  reduce<MinOf>(g, x, y, workspace);
}
void cpu::argmax_forward(const ReduceGeometry& g, const float* x, std::int64_t* index) {
  argmax(g, x, index);
}
void cpu::argmax_forward(const ReduceGeometry& g, const double* x, std::int64_t* index) {
  argmax(g, x, index);
}

}  // namespace pliant
