#include <pliant/core/kernels/batch_norm2d.h>

#include <algorithm>

#include <pliant/core/cpu/columns.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using Walk = cpu::ColumnWalk;

// ---- statistics ----

// Moments of each channel [c].
template <class T>
void moments(const BatchNorm2dGeometry& g, const Walk& walk, const T* x, Moments* of_channel,
             Workspace& workspace) {
  const std::int64_t c = walk.c;
  double* const partial = workspace.take<double>(walk.all_parts() * 2 * c);  // [parts 2 c]
  walk.each_part([&](std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + index * 2 * c;
    cpu::part_moments(x, part, c, out, out + c);
  });
  for (std::int64_t j = 0; j < c; ++j) {
    Moments held;
    double before = 0;
    for (std::int64_t part = 0; part < walk.all_parts(); ++part) {
      const auto count = static_cast<double>(walk.count(part));
      if (count == 0) continue;
      const double* const from = partial + part * 2 * c;
      join_moments(before, held.mean, held.m2, count, from[j], from[j + c]);
      before += count;
    }
    of_channel[j] = moments_again<T>(
        held, g.eps, g.rows, [=](std::int64_t i) { return static_cast<double>(x[i * c + j]); });
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

template <class T>
void normalise(const BatchNorm2dGeometry& g, const Walk& walk, const T* x, const T* weight,
               const T* bias, const double* mean, const double* rstd, T* y, Workspace& workspace) {
  const cpu::NormScaleRows<T> rows(walk, workspace.take<T>(4 * walk.width));
  for (std::int64_t j = 0; j < g.c; ++j)
    rows.set(j, norm_scale(NormRow<T>(mean[j], rstd[j]), weight[j], bias[j]));
  rows.widen(walk);
  each_wide_row(walk, g.rows,
                [=](std::int64_t at, std::int64_t n) { rows.apply(n, x + at, y + at); });
}

template <class T>
void training_forward(const BatchNorm2dGeometry& g, const BatchNorm2dTrainingForwardArgs<T>& args,
                      Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  Moments* const of_channel = workspace.take<Moments>(g.c);
  if (args.all_moments == nullptr)
    moments(g, walk, args.x, of_channel, workspace);
  else
    for (std::int64_t j = 0; j < g.c; ++j)
      of_channel[j] = {args.all_moments[j], args.all_moments[g.c + j], 1};
  if (args.moments != nullptr) {
    for (std::int64_t j = 0; j < g.c; ++j) {
      args.moments[j] = of_channel[j].true_mean();
      args.moments[g.c + j] = of_channel[j].variance(1);
    }
    return;
  }
  const auto rows = static_cast<double>(args.all_moments == nullptr ? g.rows : g.all_rows);
  for (std::int64_t j = 0; j < g.c; ++j) {
    args.mean[j] = of_channel[j].true_mean();
    args.rstd[j] = of_channel[j].rstd(rows, g.eps);
    args.new_mean[j] = running_average(g, args.running_mean[j], args.mean[j]);
    args.new_var[j] = running_average(g, args.running_var[j], of_channel[j].variance(rows - 1));
  }
  normalise(g, walk, args.x, args.weight, args.bias, args.mean, args.rstd, args.y, workspace);
}

template <class T>
void forward(const BatchNorm2dGeometry& g, const BatchNorm2dForwardArgs<T>& args,
             Workspace& workspace) {
  for (std::int64_t j = 0; j < g.c; ++j) {
    args.mean[j] = static_cast<double>(args.running_mean[j]);
    args.rstd[j] = given_rstd(g, args.running_var[j]);
  }
  normalise(g, Walk(g.rows, g.c), args.x, args.weight, args.bias, args.mean, args.rstd, args.y,
            workspace);
}

// ---- gradient ----

// sum_dy and sum_dy_x [c] over all rows; unit and mean are wide rows; x, unit and mean may be null.
template <class T>
void sums(const Walk& walk, const T* x, const T* dy, const T* unit, const T* mean, double* sum_dy,
          double* sum_dy_x, Workspace& workspace) {
  const std::int64_t c = walk.c;
  double* const partial = workspace.take<double>(walk.all_parts() * 2 * c);  // [parts 2 c]
  walk.each_part([&](std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + index * 2 * c;
    cpu::part_sums(x, dy, unit, mean, part, c, out, out + c);
  });
  for (std::int64_t j = 0; j < c; ++j) {
    double total = 0, total_x = 0;
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
void scale_rows(const BatchNorm2dGeometry& g, const Walk& walk, const T* weight, const double* rstd,
                const T* dy, T* dx, Workspace& workspace) {
  T* const scale = workspace.take<T>(walk.width);
  for (std::int64_t j = 0; j < g.c; ++j)
    scale[j] = static_cast<T>(static_cast<double>(weight[j]) * rstd[j]);
  walk.widen(scale);
  each_wide_row(walk, g.rows, [=](std::int64_t at, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) dx[at + j] = dy[at + j] * scale[j];
  });
}

// dx under statistics of the batch.
template <class T>
void batch_data_gradient(const BatchNorm2dGeometry& g, const Walk& walk, const T* x,
                         const T* weight, const double* mean, const double* rstd,
                         const double* sum_dy, const double* sum_dy_x, std::int64_t of_rows,
                         const T* dy, T* dx, Workspace& workspace) {
  const cpu::NormSlopeRows<T> rows(walk, workspace.take<T>(6 * walk.width));
  for (std::int64_t j = 0; j < g.c; ++j) {
    const double share = static_cast<double>(weight[j]) / static_cast<double>(of_rows);
    rows.set(j, norm_slope(NormRow<T>(mean[j], rstd[j]), weight[j], sum_dy[j] * share,
                           sum_dy_x[j] * share));
  }
  rows.widen(walk);
  each_wide_row(walk, g.rows,
                [=](std::int64_t at, std::int64_t n) { rows.apply(n, x + at, dy + at, dx + at); });
}

template <class T>
void gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
              const BatchNorm2dGradientArgs<T>& args, Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  const bool through_batch = args.dx != nullptr && statistics == NormStatistics::of_batch;
  const bool needs_x = args.dweight != nullptr || args.sums != nullptr || through_batch;
  T *unit = nullptr, *wide_mean = nullptr;
  if (needs_x) {
    unit = workspace.take<T>(2 * walk.width);
    wide_mean = unit + walk.width;
    for (std::int64_t j = 0; j < g.c; ++j) {
      const NormRow<T> row(args.mean[j], args.rstd[j]);
      unit[j] = row.unit;
      wide_mean[j] = row.mean;
    }
    walk.widen(unit);
    walk.widen(wide_mean);
  }
  double* const sum_dy = workspace.take<double>(2 * g.c);
  double* const sum_dy_x = sum_dy + g.c;
  if (args.all_sums != nullptr)
    std::copy_n(args.all_sums, 2 * g.c, sum_dy);
  else if (needs_x || args.dbias != nullptr)
    sums(walk, needs_x ? args.x : nullptr, args.dy, unit, wide_mean, sum_dy, sum_dy_x, workspace);
  if (args.sums != nullptr) std::copy_n(sum_dy, 2 * g.c, args.sums);
  for (std::int64_t j = 0; j < g.c; ++j) {
    if (args.dbias != nullptr) args.dbias[j] = static_cast<T>(sum_dy[j]);
    if (args.dweight != nullptr)
      args.dweight[j] =
          static_cast<T>(NormRow<T>(args.mean[j], args.rstd[j]).along(sum_dy[j], sum_dy_x[j]));
  }
  if (through_batch)
    batch_data_gradient(g, walk, args.x, args.weight, args.mean, args.rstd, sum_dy, sum_dy_x,
                        args.all_sums == nullptr ? g.rows : g.all_rows, args.dy, args.dx,
                        workspace);
  else if (args.dx != nullptr)
    scale_rows(g, walk, args.weight, args.rstd, args.dy, args.dx, workspace);
}

void widened_training_forward(const BatchNorm2dGeometry& g,
                              const BatchNorm2dTrainingForwardArgs<BFloat16>& args,
                              Workspace& workspace) {
  cpu::Widening::rounded(args.y, g.rows * g.c, workspace, [&](float* wide) {
    training_forward<float>(g,
                            {.x = cpu::Widening::widened(args.x, g.rows * g.c, workspace),
                             .weight = args.weight,
                             .bias = args.bias,
                             .running_mean = args.running_mean,
                             .running_var = args.running_var,
                             .y = wide,
                             .mean = args.mean,
                             .rstd = args.rstd,
                             .new_mean = args.new_mean,
                             .new_var = args.new_var,
                             .moments = args.moments,
                             .all_moments = args.all_moments},
                            workspace);
  });
}

void widened_forward(const BatchNorm2dGeometry& g, const BatchNorm2dForwardArgs<BFloat16>& args,
                     Workspace& workspace) {
  cpu::Widening::rounded(args.y, g.rows * g.c, workspace, [&](float* wide) {
    forward<float>(g,
                   {.x = cpu::Widening::widened(args.x, g.rows * g.c, workspace),
                    .weight = args.weight,
                    .bias = args.bias,
                    .running_mean = args.running_mean,
                    .running_var = args.running_var,
                    .y = wide,
                    .mean = args.mean,
                    .rstd = args.rstd},
                   workspace);
  });
}

void widened_gradient(const BatchNorm2dGeometry& g, NormStatistics statistics,
                      const BatchNorm2dGradientArgs<BFloat16>& args, Workspace& workspace) {
  using cpu::Widening;
  Widening::rounded(args.dx, g.rows * g.c, workspace, [&](float* wide) {
    gradient<float>(g, statistics,
                    {.x = Widening::widened(args.x, g.rows * g.c, workspace),
                     .weight = args.weight,
                     .mean = args.mean,
                     .rstd = args.rstd,
                     .dy = Widening::widened(args.dy, g.rows * g.c, workspace),
                     .dx = wide,
                     .dweight = args.dweight,
                     .dbias = args.dbias,
                     .sums = args.sums,
                     .all_sums = args.all_sums},
                    workspace);
  });
}

}  // namespace

constinit FloatingKernel<BatchNorm2dTrainingForward> cpu::batch_norm2d_training_forward{
    training_forward, training_forward, widened_training_forward};
constinit FloatingKernel<BatchNorm2dForward> cpu::batch_norm2d_forward{forward, forward,
                                                                       widened_forward};
constinit FloatingKernel<BatchNorm2dGradient> cpu::batch_norm2d_gradient{gradient, gradient,
                                                                         widened_gradient};

}  // namespace pliant
