#include <pliant/core/kernels/resample.h>

#include <algorithm>
#include <type_traits>

#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kTaskElements = 16384;

// One axis the way it is walked: for each place of the result, where its run of places begins, the
// run's weights, and what their sum is divided by. An average has one weight for each output, which
// overlapping runs share: windows may be as long as the map.
template <class T>
class Band {
 public:
  Band(const ResampleAxis& axis, ResampleWay way, Workspace& workspace)
      : from(way == ResampleWay::forward ? axis.size : axis.out),
        to(way == ResampleWay::forward ? axis.out : axis.size),
        runs_(workspace.take<Run>(to)) {
    if (is_average(axis.rule))
      fill_average(axis, way, workspace);
    else
      fill_interpolation(axis, way, workspace);
  }

  std::int64_t begin(std::int64_t at) const { return run(at).begin; }
  std::int64_t count(std::int64_t at) const { return run(at).count; }
  double divisor(std::int64_t at) const { return run(at).divisor; }
  const T* weights(std::int64_t at) const { return weights_ + run(at).weights; }
  // Whether place `at` is a copy of begin(at).
  bool is_copy(std::int64_t at) const { return count(at) == 1 && *weights(at) == T(1); }

  const std::int64_t from, to;

 private:
  struct Run {
    std::int64_t begin, count, weights;
    double divisor;
  };
  const Run& run(std::int64_t at) const { return runs_[at]; }

  void fill_average(const ResampleAxis& axis, ResampleWay way, Workspace& workspace) {
    const bool forward = way == ResampleWay::forward;
    const std::int64_t count = forward ? longest_run(axis, way) : axis.out;
    weights_ = workspace.take<T>(count);
    for (std::int64_t i = 0; i < count; ++i)
      weights_[i] = static_cast<T>(forward ? 1 : 1 / resample_divisor(axis, i));
    for (std::int64_t at = 0; at < to; ++at) {
      const ResampleRun run = forward ? resample_inputs(axis, at) : resample_outputs(axis, at);
      runs_[at] = {run.begin, run.end - run.begin, forward ? 0 : run.begin,
                   forward ? resample_divisor(axis, at) : 1};
    }
  }

  void fill_interpolation(const ResampleAxis& axis, ResampleWay way, Workspace& workspace) {
    const bool forward = way == ResampleWay::forward;
    weights_ = workspace.take<T>(longest_run(axis, ResampleWay::forward) * axis.out);
    double* const divisors = workspace.take<double>(axis.out);
    for (std::int64_t p = 0; p < axis.out; ++p) divisors[p] = resample_divisor(axis, p);
    std::int64_t next = 0;
    for (std::int64_t at = 0; at < to; ++at) {
      const ResampleRun run = forward ? resample_inputs(axis, at) : resample_outputs(axis, at);
      runs_[at] = {run.begin, run.end - run.begin, next, 1};
      for (std::int64_t i = run.begin; i < run.end; ++i) {
        const std::int64_t p = forward ? at : i, pixel = forward ? i : at;
        weights_[next++] = static_cast<T>(resample_weight(axis, p, pixel) / divisors[p]);
      }
    }
  }

  Run* runs_;
  T* weights_ = nullptr;
};

// to[j] = sum over i < count of weights[i] * from[i * stride + j], j < n; the terms in order.
template <class T, class Sum, class Size>
void weighted_sum(std::int64_t count, const Sum* weights, const T* from, std::int64_t stride,
                  Size n, Sum* to) {
  if (count == 0) {
    std::fill_n(to, n, Sum(0));
    return;
  }
  if (count == 1) {
    const Sum w = weights[0];
    for (std::int64_t j = 0; j < n; ++j) to[j] = w * static_cast<Sum>(from[j]);
    return;
  }
  const Sum w0 = weights[0], w1 = weights[1];
  const T* next = from + stride;
  for (std::int64_t j = 0; j < n; ++j)
    to[j] = w0 * static_cast<Sum>(from[j]) + w1 * static_cast<Sum>(next[j]);
  for (std::int64_t i = 2; i < count; ++i) {
    next += stride;
    const Sum w = weights[i];
    for (std::int64_t j = 0; j < n; ++j) to[j] += w * static_cast<Sum>(next[j]);
  }
}

// Calls f with the number of channels: of an image's few as a constant, whose loops unroll.
template <class F>
void with_channels(std::int64_t c, F&& f) {
  if (c == 1)
    f(std::integral_constant<std::int64_t, 1>());
  else if (c == 3)
    f(std::integral_constant<std::int64_t, 3>());
  else
    f(c);
}

// The pixel of all channels that a run of `row` makes; `room` for c sums of another type.
template <class T, class Sum, class Channels>
void make_pixel(const Band<Sum>& columns, std::int64_t q, const Sum* row, Channels c,
                double divisor, Sum* room, T* to) {
  const Sum* const from = row + columns.begin(q) * c;
  if constexpr (std::is_same_v<T, Sum>) room = to;
  weighted_sum(columns.count(q), columns.weights(q), from, c, c, room);
  if (std::is_same_v<T, Sum> && divisor == 1) return;
  const auto by = static_cast<Sum>(divisor);
  for (std::int64_t j = 0; j < c; ++j) to[j] = static_cast<T>(room[j] / by);
}

// A task owns some rows of the result: each is first one row as wide as before, all channels of it
// side by side, then a row of the new width.
template <class Sum, class T>
void resample(const ResampleGeometry& g, ResampleWay way, const T* from, T* to,
              Workspace& workspace) {
  const Band<Sum> rows(g.rows, way, workspace), columns(g.columns, way, workspace);
  const std::int64_t wide = columns.from * g.c, width = columns.to * g.c;
  const cpu::PerThread<Sum> scratch(wide + g.c, workspace);
  const std::int64_t block =
      std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, std::max(wide, width)));
  parallel_blocks(g.n * rows.to, block, [&](std::int64_t begin, std::int64_t end) {
    Sum* const room = scratch.of();
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t p = i % rows.to;
      const T* const first = from + (i / rows.to * rows.from + rows.begin(p)) * wide;
      const Sum* row = room;
      bool is_ready = false;
      if constexpr (std::is_same_v<T, Sum>)
        if (rows.is_copy(p)) {
          row = first;
          is_ready = true;
        }
      if (!is_ready) weighted_sum(rows.count(p), rows.weights(p), first, wide, wide, room);
      with_channels(g.c, [&](auto c) {
        for (std::int64_t q = 0; q < columns.to; ++q)
          make_pixel(columns, q, row, c, rows.divisor(p) * columns.divisor(q), room + wide,
                     to + i * width + q * c);
      });
    }
  });
}

template <class T>
void resample_by_length(const ResampleGeometry& g, ResampleWay way, const T* from, T* to,
                        Workspace& workspace) {
  if (sums_are_short(g, way))
    resample<T>(g, way, from, to, workspace);
  else
    resample<double>(g, way, from, to, workspace);
}

}  // namespace

constinit FloatKernel<Resample> cpu::resample{resample_by_length, resample_by_length};

}  // namespace pliant
