#include <pliant/core/kernels/reduce.h>

#include <algorithm>

#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Two-level (runs of kRun terms, then the runs), so that the error of a sum grows with the number
// of runs and not of terms.
constexpr std::int64_t kRun = 128;
constexpr std::int64_t kLanes = 16;

template <class F, class T>
using Held = typename F::template Held<T>;

// n neighbours, in kLanes strands.
template <class F, class T>
Held<F, T> reduce_contiguous(const T* x, std::int64_t n) {
  using H = Held<F, T>;
  constexpr F combine;
  H total[kLanes];
  std::fill_n(total, kLanes, F::template kOfNothing<H>);
  for (std::int64_t at = 0; at < n; at += kRun * kLanes) {
    const std::int64_t end = std::min(n, at + kRun * kLanes);
    H strand[kLanes];
    std::fill_n(strand, kLanes, F::template kOfNothing<H>);
    std::int64_t i = at;
    for (; i + kLanes <= end; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        strand[lane] = combine(strand[lane], combine.of(x[i + lane]));
    for (; i < end; ++i) strand[i % kLanes] = combine(strand[i % kLanes], combine.of(x[i]));
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
      total[lane] = combine(total[lane], strand[lane]);
  }
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t lane = 0; lane < half; ++lane)
      total[lane] = combine(total[lane], total[lane + half]);
  return total[0];
}

// held[j] = all rows of x[row * stride + j], j in [0, columns); columns <= kColumns. Four rows at a
// time, so that what is held goes through the cache less often.
constexpr std::int64_t kColumns = 256;
template <class F, class T>
void reduce_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                 Held<F, T>* held) {
  using H = Held<F, T>;
  constexpr F combine;
  std::fill_n(held, columns, F::template kOfNothing<H>);
  for (std::int64_t at = 0; at < rows; at += kRun) {
    H strand[kColumns];
    std::fill_n(strand, columns, F::template kOfNothing<H>);
    const std::int64_t end = std::min(rows, at + kRun);
    std::int64_t row = at;
    for (; row + 4 <= end; row += 4) {
      const T *const first = x + row * stride, *const second = first + stride;
      const T *const third = second + stride, *const fourth = third + stride;
      for (std::int64_t j = 0; j < columns; ++j)
        strand[j] =
            combine(strand[j], combine(combine(combine.of(first[j]), combine.of(second[j])),
                                       combine(combine.of(third[j]), combine.of(fourth[j]))));
    }
    for (; row < end; ++row)
      for (std::int64_t j = 0; j < columns; ++j)
        strand[j] = combine(strand[j], combine.of(x[row * stride + j]));
    for (std::int64_t j = 0; j < columns; ++j) held[j] = combine(held[j], strand[j]);
  }
}

// Calls to(j, held) for each column j of rows begin .. end-1 of one outer slice.
template <class F, class T, class To>
void reduce_slice(const ReduceGeometry& g, const T* x, std::int64_t begin, std::int64_t end,
                  To to) {
  if (g.inner == 1) return to(0, reduce_contiguous<F>(x + begin, end - begin));
  Held<F, T> held[kColumns];
  for (std::int64_t j = 0; j < g.inner; j += kColumns) {
    const std::int64_t columns = std::min(kColumns, g.inner - j);
    reduce_rows<F>(x + begin * g.inner + j, end - begin, g.inner, columns, held);
    for (std::int64_t i = 0; i < columns; ++i) to(j + i, held[i]);
  }
}

// Joins is F for what is held already.
template <class F, class Joins, class T, class To>
void reduce(const ReduceGeometry& g, const T* x, To* y, Workspace& workspace) {
  using H = Held<F, T>;
  const std::int64_t slice = g.reduced * g.inner;
  const std::int64_t grain = 32768;  // elements a task
  const std::int64_t parts = std::clamp<std::int64_t>(
      slice / grain, 1, std::min(cpu::kMostPartials, std::max<std::int64_t>(1, g.reduced)));
  const auto to_result = [&](std::int64_t o) {
    return [to = y + o * g.inner, divisor = g.divisor](std::int64_t j, H held) {
      to[j] = reduced<To>(held, divisor);
    };
  };
  if (parts == 1) {
    parallel_blocks(g.outer, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, slice)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t o = begin; o < end; ++o)
                        reduce_slice<F>(g, x + o * slice, 0, g.reduced, to_result(o));
                    });
    return;
  }
  H* const partial = workspace.take<H>(g.outer * parts * g.inner);  // [outer parts inner]
  const std::int64_t rows = (g.reduced + parts - 1) / parts;
  parallel_for(g.outer * parts, [&](std::int64_t task) {
    const std::int64_t o = task / parts, begin = std::min(g.reduced, task % parts * rows);
    reduce_slice<F>(g, x + o * slice, begin, std::min(g.reduced, begin + rows),
                    [to = partial + task * g.inner](std::int64_t j, H held) { to[j] = held; });
  });
  for (std::int64_t o = 0; o < g.outer; ++o)
    reduce_slice<Joins>(g, partial + o * parts * g.inner, 0, parts, to_result(o));
}
template <class F, class T, class To>
void reduce(const ReduceGeometry& g, const T* x, To* y, Workspace& workspace) {
  reduce<F, F>(g, x, y, workspace);
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

template <class To>
void widened_sum(const ReduceGeometry& g, const BFloat16* x, To* y, Workspace& workspace) {
  const std::int64_t n = g.outer * g.reduced * g.inner;
  reduce<SumOf>(g, cpu::Widening::widened(x, n, workspace), y, workspace);
}

}  // namespace

constinit SumKernel cpu::sum_forward{reduce<SumOf>,        reduce<SumOf>, widened_sum,
                                     reduce<SumOf>,        widened_sum,   reduce<SumOf>,
                                     reduce<SumOfIntegers>};
constinit SumOfSquaresKernel cpu::sum_of_squares_forward{reduce<SumOfSquares, SumOf>,
                                                         reduce<SumOfSquares, SumOf>};
constinit ExtremeKernel cpu::max_forward{reduce<MaxOf>, reduce<MaxOf>, reduce<MaxOf>};
constinit ExtremeKernel cpu::min_forward{reduce<MinOf>, reduce<MinOf>, reduce<MinOf>};
constinit NumberKernel<ArgmaxForward> cpu::argmax_forward{argmax, argmax, argmax};

}  // namespace pliant
