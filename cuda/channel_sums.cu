#include <pliant/cuda/channel_sums.h>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr std::int64_t kRun = 64;  // rows, or earlier runs, that one thread works on

constexpr std::int64_t runs_of(std::int64_t rows) { return (rows + kRun - 1) / kRun; }

// Mean and sum of squared deviations of each channel over runs of kRun rows, to [n runs c]: about
// the run's first row, one of the values, so that nothing cancels.
template <class T>
void moments_of_runs(const char* op, const ChannelsGeometry& g, const T* x, double* mean,
                     double* m2) {
  const std::int64_t runs = runs_of(g.rows);
  each(op, g.n * runs * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t run = i / g.c % runs, begin = run * kRun;
    const std::int64_t end = std::min(g.rows, begin + kRun);
    const T* const from = x + i / g.c / runs * g.rows * g.c + i % g.c;
    const auto first = static_cast<double>(from[begin * g.c]);
    double sum = 0, squares = 0;
    for (std::int64_t row = begin + 1; row < end; ++row) {
      const double deviation = static_cast<double>(from[row * g.c]) - first;
      sum += deviation;
      squares += deviation * deviation;
    }
    const double centre = sum / static_cast<double>(end - begin), rest = squares - sum * centre;
    mean[i] = first + centre;
    m2[i] = rest < 0 ? 0 : rest;
  });
}

// Moments in two arrays, each [n runs c], the last run of an image being shorter than `span` rows.
struct RunMoments {
  std::int64_t runs, span;
  double *mean, *m2;
  std::int64_t stride;  // from one image to the next
};

// Joins each kRun neighbouring runs to one.
void join_runs(const char* op, const ChannelsGeometry& g, const RunMoments& from,
               const RunMoments& to) {
  each(op, g.n * to.runs * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, begin = i / g.c % to.runs * kRun, image = i / g.c / to.runs;
    const std::int64_t end = std::min(from.runs, begin + kRun);
    double before = 0, mean = 0, m2 = 0;
    for (std::int64_t run = begin; run < end; ++run) {
      const auto count = static_cast<double>(std::min(from.span, g.rows - run * from.span));
      const std::int64_t at = image * from.stride + run * g.c + c;
      join_moments(before, mean, m2, count, from.mean[at], from.m2[at]);
      before += count;
    }
    const std::int64_t at = image * to.stride + i / g.c % to.runs * g.c + c;
    to.mean[at] = mean;
    to.m2[at] = m2;
  });
}

}  // namespace

template <class T>
const double* cuda::channel_moments(const char* op, const ChannelsGeometry& g, const T* x,
                                    Workspace& workspace) {
  double* const result = workspace.take<double>(g.n * 2 * g.c);
  if (g.rows == 0) {
    set_to_zero(op, result, g.n * 2 * g.c);
    return result;
  }
  std::int64_t runs = runs_of(g.rows);
  const auto room = [&](std::int64_t count) { return workspace.take<double>(g.n * count * g.c); };
  RunMoments from{runs, kRun, room(runs), room(runs), runs * g.c};
  moments_of_runs(op, g, x, from.mean, from.m2);
  for (bool last = false; !last;) {
    runs = runs_of(from.runs);
    last = runs == 1;
    const RunMoments to =
        last ? RunMoments{1, g.rows, result, result + g.c, 2 * g.c}
             : RunMoments{runs, from.span * kRun, room(runs), room(runs), runs * g.c};
    join_runs(op, g, from, to);
    from = to;
  }
  return result;
}

template <class T>
const double* cuda::channel_gradient_sums(const char* op, const ChannelsGeometry& g, const T* x,
                                          const T* dy, const NormRow<Wide<T>>* row,
                                          Workspace& workspace) {
  const std::int64_t runs = runs_of(g.rows);
  double* const partial = workspace.take<double>(g.n * runs * 2 * g.c);  // [n runs 2 c]
  double* const sums = workspace.take<double>(g.n * 2 * g.c);
  each(op, g.n * runs * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, run = i / g.c % runs, image = i / g.c / runs;
    double sum = 0, sum_x = 0;
    for (std::int64_t at = run * kRun; at < std::min(g.rows, (run + 1) * kRun); ++at) {
      const std::int64_t place = (image * g.rows + at) * g.c + c;
      const auto slope = static_cast<double>(dy[place]);
      sum += slope;
      if (x != nullptr)
        sum_x += slope * static_cast<double>(row[image * g.c + c].deviation(x[place]));
    }
    double* const to = partial + i / g.c * 2 * g.c + c;
    to[0] = sum;
    to[g.c] = sum_x;
  });
  sum_forward(ReduceGeometry{g.n, runs, 2 * g.c}, partial, sums, workspace);
  return sums;
}

template const double* cuda::channel_moments(const char*, const ChannelsGeometry&, const float*,
                                             Workspace&);
template const double* cuda::channel_moments(const char*, const ChannelsGeometry&, const double*,
                                             Workspace&);
template const double* cuda::channel_moments(const char*, const ChannelsGeometry&, const BFloat16*,
                                             Workspace&);
template const double* cuda::channel_gradient_sums(const char*, const ChannelsGeometry&,
                                                   const float*, const float*,
                                                   const NormRow<float>*, Workspace&);
template const double* cuda::channel_gradient_sums(const char*, const ChannelsGeometry&,
                                                   const double*, const double*,
                                                   const NormRow<double>*, Workspace&);
template const double* cuda::channel_gradient_sums(const char*, const ChannelsGeometry&,
                                                   const BFloat16*, const BFloat16*,
                                                   const NormRow<float>*, Workspace&);

}  // namespace pliant
