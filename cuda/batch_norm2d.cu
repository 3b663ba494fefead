#include <pliant/core/kernels/batch_norm2d.h>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

using namespace cuda;

constexpr const char* kOp = "batch_norm2d";
constexpr std::int64_t kRun = 64;  // rows, or earlier runs, that one thread works on

constexpr std::int64_t runs_of(std::int64_t rows) { return (rows + kRun - 1) / kRun; }

// ---- statistics ----

// Mean and sum of squared deviations of each channel over runs of kRun rows, to [runs c]: about
// the run's own mean, itself taken about the first row, so that nothing cancels.
template <class T>
void moments_of_runs(const BatchNorm2dGeometry& g, const T* x, double* mean, double* m2) {
  each(kOp, runs_of(g.rows) * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, begin = i / g.c * kRun, end = std::min(g.rows, begin + kRun);
    const T shift = x[begin * g.c + c];
    T sum = 0, squares = 0;
    for (std::int64_t row = begin; row < end; ++row) sum += x[row * g.c + c] - shift;
    const T centre = sum / static_cast<T>(end - begin);
    for (std::int64_t row = begin; row < end; ++row) {
      const T deviation = x[row * g.c + c] - shift - centre;
      squares += deviation * deviation;
    }
    mean[i] = static_cast<double>(shift) + static_cast<double>(centre);
    m2[i] = static_cast<double>(squares);
  });
}

// Joins each kRun of `runs` neighbouring sets of `span` rows (the last one of fewer) to one.
void join_runs(const BatchNorm2dGeometry& g, std::int64_t runs, std::int64_t span,
               const double* mean, const double* m2, double* to_mean, double* to_m2) {
  each(kOp, runs_of(runs) * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, begin = i / g.c * kRun, end = std::min(runs, begin + kRun);
    double before = 0, joined_mean = 0, joined_m2 = 0;
    for (std::int64_t run = begin; run < end; ++run) {
      const auto count = static_cast<double>(std::min(span, g.rows - run * span));
      join_moments(before, joined_mean, joined_m2, count, mean[run * g.c + c], m2[run * g.c + c]);
      before += count;
    }
    to_mean[i] = joined_mean;
    to_m2[i] = joined_m2;
  });
}

// The moments of all rows, [2 c]: means, then sums of squared deviations.
template <class T>
const double* moments(const BatchNorm2dGeometry& g, const T* x, Workspace& workspace) {
  std::int64_t runs = runs_of(g.rows), span = kRun;
  double* from = workspace.take<double>(2 * runs * g.c);
  moments_of_runs(g, x, from, from + runs * g.c);
  while (runs > 1) {
    const std::int64_t joined = runs_of(runs);
    double* const to = workspace.take<double>(2 * joined * g.c);
    join_runs(g, runs, span, from, from + runs * g.c, to, to + joined * g.c);
    from = to;
    runs = joined;
    span *= kRun;
  }
  return from;
}

// ---- forward ----

// mean, scale and offset [c] are what each channel is normalised with.
template <class T>
void normalise(const BatchNorm2dGeometry& g, const T* x, const T* mean, const T* scale,
               const T* offset, T* y) {
  each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c;
    y[i] = normalised(x[i], mean[c], scale[c], offset[c]);
  });
}

template <class T>
void training_forward(const BatchNorm2dGeometry& g, const T* x, const T* weight, const T* bias,
                      const T* running_mean, const T* running_var, T* y, T* mean, T* rstd,
                      T* new_mean, T* new_var, Workspace& workspace) {
  const double* const exact = moments(g, x, workspace);
  T* const scale = workspace.take<T>(2 * g.c);
  T* const offset = scale + g.c;
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    const auto rows = static_cast<double>(g.rows);
    const double exact_mean = exact[c], m2 = exact[g.c + c], keep = 1 - g.momentum;
    const double deviation = reciprocal_deviation(m2 / rows, g.eps);
    mean[c] = static_cast<T>(exact_mean);
    rstd[c] = static_cast<T>(deviation);
    new_mean[c] =
        static_cast<T>(keep * static_cast<double>(running_mean[c]) + g.momentum * exact_mean);
    new_var[c] =
        static_cast<T>(keep * static_cast<double>(running_var[c]) + g.momentum * m2 / (rows - 1));
    // What rounding the mean to T lost goes into the offset.
    const double exact_scale = static_cast<double>(weight[c]) * deviation;
    scale[c] = static_cast<T>(exact_scale);
    offset[c] = static_cast<T>(static_cast<double>(bias[c]) +
                               (static_cast<double>(mean[c]) - exact_mean) * exact_scale);
  });
  normalise<T>(g, x, mean, scale, offset, y);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const T* x, const T* weight, const T* bias,
             const T* mean, const T* var, T* y, T* rstd, Workspace& workspace) {
  T* const scale = workspace.take<T>(g.c);
  each(kOp, g.c, [=] __device__(std::int64_t c) {
    rstd[c] = reciprocal_deviation(var[c], static_cast<T>(g.eps));
    scale[c] = weight[c] * rstd[c];
  });
  normalise<T>(g, x, mean, scale, bias, y);
}

// ---- gradient ----

// The sums over all rows, [2 c]: of dy, then of dy * (x - mean); the second is 0 where x is null.
template <class T>
const double* gradient_sums(const BatchNorm2dGeometry& g, const T* x, const T* dy, const T* mean,
                            Workspace& workspace) {
  const std::int64_t runs = runs_of(g.rows);
  double* const partial = workspace.take<double>(2 * runs * g.c);  // [runs 2 c]
  double* const sums = workspace.take<double>(2 * g.c);
  each(kOp, runs * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c, run = i / g.c;
    T sum = 0, sum_x = 0;
    for (std::int64_t row = run * kRun; row < std::min(g.rows, (run + 1) * kRun); ++row) {
      const std::int64_t at = row * g.c + c;
      sum += dy[at];
      if (x != nullptr) sum_x += dy[at] * (x[at] - mean[c]);
    }
    partial[2 * run * g.c + c] = static_cast<double>(sum);
    partial[(2 * run + 1) * g.c + c] = static_cast<double>(sum_x);
  });
  cuda::sum_forward(ReduceGeometry{1, runs, 2 * g.c}, partial, sums, workspace);
  return sums;
}

// dx under statistics of the batch.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const T* x, const T* weight, const T* mean,
                         const T* rstd, const double* sums, const T* dy, T* dx) {
  each(kOp, g.rows * g.c, [=] __device__(std::int64_t i) {
    const std::int64_t c = i % g.c;
    const auto sum_dy_xhat = static_cast<T>(sums[g.c + c]) * rstd[c];
    const BatchNorm2dSlope<T> slope = batch_slope(weight[c], rstd[c], static_cast<T>(sums[c]),
                                                  sum_dy_xhat, static_cast<T>(g.rows));
    dx[i] = slope.by_dy * dy[i] + slope.by_x * (x[i] - mean[c]) + slope.constant;
  });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics, const T* x, const T* weight,
              const T* mean, const T* rstd, const T* dy, T* dx, T* dweight, T* dbias,
              Workspace& workspace) {
  const bool through_batch = dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = dweight != nullptr || through_batch;
  const double* sums = nullptr;
  if (needs_x || dbias != nullptr)
    sums = gradient_sums<T>(g, needs_x ? x : nullptr, dy, mean, workspace);
  if (dbias != nullptr || dweight != nullptr)
    each(kOp, g.c, [=] __device__(std::int64_t c) {
      if (dbias != nullptr) dbias[c] = static_cast<T>(sums[c]);
      if (dweight != nullptr) dweight[c] = static_cast<T>(sums[g.c + c]) * rstd[c];
    });
  if (through_batch)
    batch_data_gradient<T>(g, x, weight, mean, rstd, sums, dy, dx);
  else if (dx != nullptr)
    each(kOp, g.rows * g.c,
         [=] __device__(std::int64_t i) { dx[i] = dy[i] * (weight[i % g.c] * rstd[i % g.c]); });
}

}  // namespace

void cuda::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const float* x,
                                         const float* weight, const float* bias,
                                         const float* running_mean, const float* running_var,
                                         float* y, float* mean, float* rstd, float* new_mean,
                                         float* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cuda::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const double* x,
                                         const double* weight, const double* bias,
                                         const double* running_mean, const double* running_var,
                                         double* y, double* mean, double* rstd, double* new_mean,
                                         double* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cuda::batch_norm2d_forward(const BatchNorm2dGeometry& g, const float* x, const float* weight,
                                const float* bias, const float* mean, const float* var, float* y,
                                float* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cuda::batch_norm2d_forward(const BatchNorm2dGeometry& g, const double* x, const double* weight,
                                const double* bias, const double* mean, const double* var,
                                double* y, double* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cuda::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                 const float* x, const float* weight, const float* mean,
                                 const float* rstd, const float* dy, float* dx, float* dweight,
                                 float* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cuda::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                 const double* x, const double* weight, const double* mean,
                                 const double* rstd, const double* dy, double* dx, double* dweight,
                                 double* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}

}  // namespace pliant
