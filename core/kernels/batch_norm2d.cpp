#include <pliant/core/kernels/batch_norm2d.h>

#include <algorithm>

#include <pliant/core/kernels/column_walk.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using Walk = cpu::ColumnWalk;

// ---- statistics ----

// Mean and sum of squared deviations of each channel, in double [c].
template <class T>
void moments(const Walk& walk, const T* x, double* mean, double* m2, Workspace& workspace) {
  const std::int64_t c = walk.c;
  double* const partial = workspace.take<double>(walk.all_parts() * 2 * c);  // [parts 2 c]
  walk.each_part([&](std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + index * 2 * c;
    cpu::part_moments(x, part, c, out, out + c);
  });
  std::fill_n(mean, c, 0.0);
  std::fill_n(m2, c, 0.0);
  double before = 0;
  for (std::int64_t part = 0; part < walk.all_parts(); ++part) {
    const auto count = static_cast<double>(walk.count(part));
    if (count == 0) continue;
    const double* const from = partial + part * 2 * c;
    for (std::int64_t j = 0; j < c; ++j)
      join_moments(before, mean[j], m2[j], count, from[j], from[j + c]);
    before += count;
  }
}

// ---- forward ----

// Calls f(first element, how many) for every wide row, the last one perhaps shorter.
template <class F>
void each_wide_row(const Walk& walk, std::int64_t rows, F f) {
  if (walk.width == 0) return;
  const std::int64_t block =
      std::max<std::int64_t>(1, cpu::kPartElements / walk.width) * walk.width;
  parallel_blocks(rows * walk.c, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; at += walk.width) f(at, std::min(walk.width, end - at));
  });
}

// mean, scale, offset: wide rows, of which the first c elements are given.
template <class T>
void normalise(const BatchNorm2dGeometry& g, const Walk& walk, const T* x, T* mean, T* scale,
               T* offset, T* y) {
  for (T* row : {mean, scale, offset}) walk.widen(row);
  each_wide_row(walk, g.rows, [=](std::int64_t at, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j)
      y[at + j] = normalised(x[at + j], mean[j], scale[j], offset[j]);
  });
}

template <class T>
void training_forward(const BatchNorm2dGeometry& g, const T* x, const T* weight, const T* bias,
                      const T* running_mean, const T* running_var, T* y, T* mean, T* rstd,
                      T* new_mean, T* new_var, Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  double* const exact_mean = workspace.take<double>(2 * g.c);
  double* const m2 = exact_mean + g.c;
  moments(walk, x, exact_mean, m2, workspace);
  T* const wide_mean = workspace.take<T>(3 * walk.width);
  T* const scale = wide_mean + walk.width;
  T* const offset = scale + walk.width;
  const auto rows = static_cast<double>(g.rows);
  const double keep = 1 - g.momentum;
  for (std::int64_t j = 0; j < g.c; ++j) {
    const double deviation = reciprocal_deviation(m2[j] / rows, g.eps);
    mean[j] = static_cast<T>(exact_mean[j]);
    rstd[j] = static_cast<T>(deviation);
    new_mean[j] =
        static_cast<T>(keep * static_cast<double>(running_mean[j]) + g.momentum * exact_mean[j]);
    new_var[j] = static_cast<T>(keep * static_cast<double>(running_var[j]) +
                                g.momentum * m2[j] / (rows - 1));
    // What rounding the mean to T lost goes into the offset.
    const double exact_scale = static_cast<double>(weight[j]) * deviation;
    wide_mean[j] = mean[j];
    scale[j] = static_cast<T>(exact_scale);
    offset[j] = static_cast<T>(static_cast<double>(bias[j]) +
                               (static_cast<double>(mean[j]) - exact_mean[j]) * exact_scale);
  }
  normalise(g, walk, x, wide_mean, scale, offset, y);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const T* x, const T* weight, const T* bias,
             const T* mean, const T* var, T* y, T* rstd, Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  T* const wide_mean = workspace.take<T>(3 * walk.width);
  T* const scale = wide_mean + walk.width;
  T* const offset = scale + walk.width;
  for (std::int64_t j = 0; j < g.c; ++j) {
    rstd[j] = reciprocal_deviation(var[j], static_cast<T>(g.eps));
    wide_mean[j] = mean[j];
    scale[j] = weight[j] * rstd[j];
    offset[j] = bias[j];
  }
  normalise(g, walk, x, wide_mean, scale, offset, y);
}

// ---- gradient ----

// sum_dy and sum_dy_x [c] over all rows; mean is a wide row; x and mean may be null.
template <class T>
void sums(const Walk& walk, const T* x, const T* dy, const T* mean, T* sum_dy, T* sum_dy_x,
          Workspace& workspace) {
  const std::int64_t c = walk.c;
  T* const partial = workspace.take<T>(walk.all_parts() * 2 * c);  // [parts 2 c]
  walk.each_part([&](std::int64_t index, const cpu::ColumnPart& part) {
    T* const out = partial + index * 2 * c;
    cpu::part_sums(x, dy, mean, part, c, out, out + c);
  });
  for (std::int64_t j = 0; j < c; ++j) {
    T total = 0, total_x = 0;
    for (std::int64_t part = 0; part < walk.all_parts(); ++part) {
      total += partial[part * 2 * c + j];
      total_x += partial[part * 2 * c + c + j];
    }
    sum_dy[j] = total;
    sum_dy_x[j] = total_x;
  }
}

// dx under given statistics.
template <class T>
void scale_rows(const BatchNorm2dGeometry& g, const Walk& walk, const T* weight, const T* rstd,
                const T* dy, T* dx, Workspace& workspace) {
  T* const scale = workspace.take<T>(walk.width);
  for (std::int64_t j = 0; j < g.c; ++j) scale[j] = weight[j] * rstd[j];
  walk.widen(scale);
  each_wide_row(walk, g.rows, [=](std::int64_t at, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) dx[at + j] = dy[at + j] * scale[j];
  });
}

// dx under statistics of the batch; mean is a wide row.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const Walk& walk, const T* x,
                         const T* weight, const T* mean, const T* rstd, const T* sum_dy,
                         const T* sum_dy_x, const T* dy, T* dx, Workspace& workspace) {
  T* const by_dy = workspace.take<T>(3 * walk.width);
  T* const by_x = by_dy + walk.width;
  T* const constant = by_x + walk.width;
  for (std::int64_t j = 0; j < g.c; ++j) {
    const BatchNorm2dSlope<T> slope =
        batch_slope(weight[j], rstd[j], sum_dy[j], sum_dy_x[j] * rstd[j], static_cast<T>(g.rows));
    by_dy[j] = slope.by_dy;
    by_x[j] = slope.by_x;
    constant[j] = slope.constant;
  }
  for (T* row : {by_dy, by_x, constant}) walk.widen(row);
  each_wide_row(walk, g.rows, [=](std::int64_t at, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j)
      dx[at + j] = by_dy[j] * dy[at + j] + by_x[j] * (x[at + j] - mean[j]) + constant[j];
  });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics, const T* x, const T* weight,
              const T* mean, const T* rstd, const T* dy, T* dx, T* dweight, T* dbias,
              Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  const bool through_batch = dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = dweight != nullptr || through_batch;
  T* wide_mean = nullptr;
  if (needs_x) {
    wide_mean = workspace.take<T>(walk.width);
    std::copy_n(mean, g.c, wide_mean);
    walk.widen(wide_mean);
  }
  T* const sum_dy = workspace.take<T>(2 * g.c);
  T* const sum_dy_x = sum_dy + g.c;
  if (needs_x || dbias != nullptr)
    sums(walk, needs_x ? x : nullptr, dy, wide_mean, sum_dy, sum_dy_x, workspace);
  if (dbias != nullptr) std::copy_n(sum_dy, g.c, dbias);
  if (dweight != nullptr)
    for (std::int64_t j = 0; j < g.c; ++j) dweight[j] = sum_dy_x[j] * rstd[j];
  if (through_batch)
    batch_data_gradient(g, walk, x, weight, wide_mean, rstd, sum_dy, sum_dy_x, dy, dx, workspace);
  else if (dx != nullptr)
    scale_rows(g, walk, weight, rstd, dy, dx, workspace);
}

}  // namespace

void cpu::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const float* x,
                                        const float* weight, const float* bias,
                                        const float* running_mean, const float* running_var,
                                        float* y, float* mean, float* rstd, float* new_mean,
                                        float* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cpu::batch_norm2d_training_forward(const BatchNorm2dGeometry& g, const double* x,
                                        const double* weight, const double* bias,
                                        const double* running_mean, const double* running_var,
                                        double* y, double* mean, double* rstd, double* new_mean,
                                        double* new_var, Workspace& workspace) {
  training_forward(g, x, weight, bias, running_mean, running_var, y, mean, rstd, new_mean, new_var,
                   workspace);
}
void cpu::batch_norm2d_forward(const BatchNorm2dGeometry& g, const float* x, const float* weight,
                               const float* bias, const float* mean, const float* var, float* y,
                               float* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cpu::batch_norm2d_forward(const BatchNorm2dGeometry& g, const double* x, const double* weight,
                               const double* bias, const double* mean, const double* var, double* y,
                               double* rstd, Workspace& workspace) {
  forward(g, x, weight, bias, mean, var, y, rstd, workspace);
}
void cpu::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                const float* x, const float* weight, const float* mean,
                                const float* rstd, const float* dy, float* dx, float* dweight,
                                float* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cpu::batch_norm2d_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                                const double* x, const double* weight, const double* mean,
                                const double* rstd, const double* dy, double* dx, double* dweight,
                                double* dbias, Workspace& workspace) {
  gradient(g, statistics, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}

}  // namespace pliant
