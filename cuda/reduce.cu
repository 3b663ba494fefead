#include <pliant/core/kernels/reduce.h>

#include <bit>

#include <pliant/cuda/collectives.cuh>

namespace pliant {
namespace {

constexpr std::int64_t kRun = 64;       // terms that one thread takes together
constexpr std::int64_t kColumns = 256;  // neighbours that are reduced side by side

// One round: the rows of each outer slice, `fold` of them as one wide row (so that neighbouring
// threads read neighbours even where inner is 1), are cut into runs of kRun wide rows, and each
// column of a run becomes one term, to(i, held) of [outer runs * fold inner].
template <class F, class T, class To>
void reduce_runs(const ReduceGeometry& g, std::int64_t fold, std::int64_t runs, const T* from,
                 To to) {
  const std::int64_t width = fold * g.inner, slice = g.reduced * g.inner;
  cuda::each("reduce", g.outer * runs * width, [=] __device__(std::int64_t i) {
    const std::int64_t column = i % width, run = i / width % runs, outer = i / width / runs;
    using Held = typename F::template Held<T>;
    Held held = F::template kOfNothing<Held>;
    for (std::int64_t row = run * kRun; row < (run + 1) * kRun; ++row) {
      const std::int64_t at = row * width + column;
      if (at < slice) held = F{}(held, F{}.of(from[outer * slice + at]));
    }
    to(i, held);
  });
}

// Where a round's terms go: to another round, or as results.
template <class Held>
struct ToPartial {
  Held* partial;
  __device__ void operator()(std::int64_t i, Held held) const { partial[i] = held; }
};
template <class Held, class To>
struct ToResult {
  To* y;
  double divisor;
  __device__ void operator()(std::int64_t i, Held held) const { y[i] = reduced<To>(held, divisor); }
};

// Rounds until one term is left: a tree whose shape follows from the geometry alone. Joins is F for
// what is held already.
template <class F, class Joins, class T, class To>
void reduce_by_rounds(ReduceGeometry g, const T* x, To* y, Workspace& workspace) {
  using Held = typename F::template Held<T>;
  const std::int64_t widest =
      std::min(kColumns / std::clamp<std::int64_t>(g.inner, 1, kColumns), g.reduced / kRun);
  const std::int64_t fold = static_cast<std::int64_t>(
      std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(widest, 1))));
  const std::int64_t rows = (g.reduced + fold - 1) / fold;
  const std::int64_t runs = std::max<std::int64_t>((rows + kRun - 1) / kRun, 1);
  if (runs * fold == 1) return reduce_runs<F>(g, fold, runs, x, ToResult<Held, To>{y, g.divisor});
  Held* const partial = workspace.take<Held>(g.outer * runs * fold * g.inner);
  reduce_runs<F>(g, fold, runs, x, ToPartial<Held>{partial});
  g.reduced = runs * fold;
  reduce_by_rounds<Joins, Joins>(g, partial, y, workspace);
}

// Whether blocks are to reduce lines: there are enough of both.
bool by_lines(const ReduceGeometry& g) {
  constexpr std::int64_t kLines = 64, kLength = 512;
  return g.inner == 1 && g.outer >= kLines && g.reduced >= kLength;
}

template <class F, class Joins, class T, class To>
void reduce(const ReduceGeometry& g, const T* x, To* y, Workspace& workspace) {
  if (!by_lines(g)) return reduce_by_rounds<F, Joins>(g, x, y, workspace);
  using Held = typename F::template Held<T>;
  const std::int64_t length = g.reduced;
  const ToResult<Held, To> to{y, g.divisor};
  cuda::reduce_lines(
      "reduce", g.outer, length, F::template kOfNothing<Held>,
      [=] __device__(std::int64_t line, std::int64_t i) { return F{}.of(x[line * length + i]); },
      Joins{}, [=] __device__(std::int64_t line, Held held) { to(line, held); });
}
template <class F, class T, class To>
void reduce(const ReduceGeometry& g, const T* x, To* y, Workspace& workspace) {
  reduce<F, F>(g, x, y, workspace);
}

// An element and where it lies.
template <class T>
struct Place {
  T value;
  std::int64_t at;  // -1: none yet
};

// The place that argmax keeps of two, whichever comes first.
struct FirstLargest {
  template <class T>
  __device__ Place<T> operator()(Place<T> a, Place<T> b) const {
    const bool in_order = a.at < b.at;
    const T first = in_order ? a.value : b.value, second = in_order ? b.value : a.value;
    const bool is_b = a.at < 0 || (b.at >= 0 && in_order == takes_over(second, first));
    return {is_b ? b.value : a.value, is_b ? b.at : a.at};
  }
};

template <class T>
void argmax(const ReduceGeometry& g, const T* x, std::int64_t* index) {
  const std::int64_t length = g.reduced, inner = g.inner;
  const auto element = [=] __device__(std::int64_t line, std::int64_t i) {
    return Place<T>{x[(line / inner * length + i) * inner + line % inner], i};
  };
  if (inner == 1 && length >= kRun)
    return cuda::reduce_lines(
        "argmax", g.outer, length, Place<T>{T(0), -1}, element, FirstLargest{},
        [=] __device__(std::int64_t line, const Place<T>& best) { index[line] = best.at; });
  cuda::each("argmax", g.outer * inner, [=] __device__(std::int64_t line) {
    Place<T> best = element(line, 0);
    for (std::int64_t i = 1; i < length; ++i) best = FirstLargest{}(best, element(line, i));
    index[line] = best.at;
  });
}

}  // namespace

constinit SumKernel cuda::sum_forward{reduce<SumOf>,        reduce<SumOf>, reduce<SumOf>,
                                      reduce<SumOf>,        reduce<SumOf>, reduce<SumOf>,
                                      reduce<SumOfIntegers>};
constinit SumOfSquaresKernel cuda::sum_of_squares_forward{reduce<SumOfSquares, SumOf>,
                                                          reduce<SumOfSquares, SumOf>};
constinit ExtremeKernel cuda::max_forward{reduce<MaxOf>, reduce<MaxOf>, reduce<MaxOf>};
constinit ExtremeKernel cuda::min_forward{reduce<MinOf>, reduce<MinOf>, reduce<MinOf>};
constinit NumberKernel<ArgmaxForward> cuda::argmax_forward{argmax, argmax, argmax};

}  // namespace pliant
