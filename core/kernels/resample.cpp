#include <pliant/core/kernels/resample.h>

#include <algorithm>
#include <vector>

#include <pliant/core/kernels/tap_batch_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kTaskElements = 16384;

// One axis the way it is walked: for each place of the result, where its run of places begins and
// the run's weights.
template <class T>
class Band {
 public:
  Band(const ResampleAxis& axis, ResampleWay way)
      : from(way == ResampleWay::forward ? axis.size : axis.out),
        to(way == ResampleWay::forward ? axis.out : axis.size) {
    for (std::int64_t at = 0; at < to; ++at) {
      const bool forward = way == ResampleWay::forward;
      const ResampleRun run = forward ? resample_inputs(axis, at) : resample_outputs(axis, at);
      runs_.push_back({run.begin, run.end - run.begin, weights_.size()});
      for (std::int64_t i = run.begin; i < run.end; ++i)
        weights_.push_back(
            static_cast<T>(forward ? resample_weight(axis, at, i) : resample_weight(axis, i, at)));
    }
  }

  std::int64_t begin(std::int64_t at) const { return run(at).begin; }
  std::int64_t count(std::int64_t at) const { return run(at).count; }
  const T* weights(std::int64_t at) const { return weights_.data() + run(at).weights; }
  // Whether place `at` is a copy of begin(at).
  bool is_copy(std::int64_t at) const { return count(at) == 1 && *weights(at) == T(1); }

  const std::int64_t from, to;

 private:
  struct Run {
    std::int64_t begin, count;
    std::size_t weights;
  };
  const Run& run(std::int64_t at) const { return runs_[static_cast<std::size_t>(at)]; }

  std::vector<Run> runs_;
  std::vector<T> weights_;
};

// to[j] = sum over i < count of weights[i] * from[i * stride + j], j < n; the terms in order.
template <class T>
void weighted_sum(std::int64_t count, const T* weights, const T* from, std::int64_t stride,
                  std::int64_t n, T* to) {
  if (count == 0) {
    std::fill_n(to, n, T(0));
    return;
  }
  if (count == 1) {
    const T w = weights[0];
    for (std::int64_t j = 0; j < n; ++j) to[j] = w * from[j];
    return;
  }
  const T w0 = weights[0], w1 = weights[1];
  const T* next = from + stride;
  for (std::int64_t j = 0; j < n; ++j) to[j] = w0 * from[j] + w1 * next[j];
  for (std::int64_t i = 2; i < count; ++i) {
    next += stride;
    const T w = weights[i];
    for (std::int64_t j = 0; j < n; ++j) to[j] += w * next[j];
  }
}

// A task owns some rows of the result: each is first one row as wide as before, all channels of it
// side by side, then a row of the new width.
template <class T>
void resample(const ResampleGeometry& g, ResampleWay way, const T* from, T* to,
              Workspace& workspace) {
  const Band<T> rows(g.rows, way), columns(g.columns, way);
  const std::int64_t wide = columns.from * g.c, width = columns.to * g.c;
  const cpu::PerThread<T> scratch(wide, workspace);
  const std::int64_t block =
      std::max<std::int64_t>(1, kTaskElements / std::max<std::int64_t>(1, std::max(wide, width)));
  parallel_blocks(g.n * rows.to, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t p = i % rows.to;
      const T* row = from + (i / rows.to * rows.from + rows.begin(p)) * wide;
      if (!rows.is_copy(p)) {
        weighted_sum(rows.count(p), rows.weights(p), row, wide, wide, scratch.of());
        row = scratch.of();
      }
      T* const out = to + i * width;
      for (std::int64_t q = 0; q < columns.to; ++q)
        weighted_sum(columns.count(q), columns.weights(q), row + columns.begin(q) * g.c, g.c, g.c,
                     out + q * g.c);
    }
  });
}

}  // namespace

void cpu::resample(const ResampleGeometry& g, ResampleWay way, const float* from, float* to,
                   Workspace& workspace) {
  pliant::resample<float>(g, way, from, to, workspace);
}
void cpu::resample(const ResampleGeometry& g, ResampleWay way, const double* from, double* to,
                   Workspace& workspace) {
  pliant::resample<double>(g, way, from, to, workspace);
}

}  // namespace pliant
