#include <pliant/core/kernels/group_norm.h>

#include <algorithm>

#include <pliant/core/kernels/column_walk.h>

namespace pliant {
namespace {

using Walk = cpu::ColumnWalk;

// Calls f(image, index, part) for every part of every image, each a task.
template <class F>
void each_part(const GroupNormGeometry& g, const Walk& walk, F f) {
  const std::int64_t parts = walk.all_parts();
  parallel_for(g.n * parts,
               [&](std::int64_t task) { f(task / parts, task % parts, walk.part(task % parts)); });
}

// Calls f(its first element, how many) for every wide row of an image's part.
template <class F>
void each_wide_row(const Walk& walk, const cpu::ColumnPart& part, F f) {
  const std::int64_t end = part.begin + part.rows * part.fold * walk.c;
  for (std::int64_t at = part.begin; at < end; at += walk.width)
    f(at, std::min(walk.width, end - at));
}

// Moments of each group from those of the channels of each part, partial [parts 2 c].
void group_moments(const GroupNormGeometry& g, const Walk& walk, const double* partial,
                   double* mean, double* m2) {
  std::fill_n(mean, g.groups, 0.0);
  std::fill_n(m2, g.groups, 0.0);
  const std::int64_t channels = g.c / g.groups;
  double before = 0;  // values a channel
  for (std::int64_t index = 0; index < walk.all_parts(); ++index) {
    const auto count = static_cast<double>(walk.count(index));
    if (count == 0) continue;
    const double* const from = partial + index * 2 * g.c;
    for (std::int64_t j = 0; j < g.c; ++j) {
      const double held =
          before * static_cast<double>(channels) + count * static_cast<double>(j % channels);
      const std::int64_t group = g.group_of(j);
      join_moments(held, mean[group], m2[group], count, from[j], from[j + g.c]);
    }
    before += count;
  }
}

// The wide rows mean, scale and offset of one image from its groups' moments.
template <class T>
void image_rows(const GroupNormGeometry& g, const Walk& walk, const double* exact_mean,
                const double* m2, const T* weight, const T* bias, T* mean, T* rstd, T* rows) {
  for (std::int64_t group = 0; group < g.groups; ++group) {
    mean[group] = static_cast<T>(exact_mean[group]);
    rstd[group] = static_cast<T>(reciprocal_deviation(m2[group] / g.count(), g.eps));
  }
  T* const scale = rows + walk.width;
  T* const offset = scale + walk.width;
  for (std::int64_t j = 0; j < g.c; ++j) {
    const std::int64_t group = g.group_of(j);
    rows[j] = mean[group];
    const GroupNormScale<T> of_channel =
        group_scale(weight[j], bias[j], rstd[group], mean[group], exact_mean[group]);
    scale[j] = of_channel.scale;
    offset[j] = of_channel.offset;
  }
  for (int i = 0; i < 3; ++i) walk.widen(rows + i * walk.width);
}

template <class T>
void forward(const GroupNormGeometry& g, const T* x, const T* weight, const T* bias, T* y, T* mean,
             T* rstd, Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  const std::int64_t image_size = g.rows * g.c, partial_size = walk.all_parts() * 2 * g.c;
  double* const partial = workspace.take<double>(g.n * partial_size);  // [n parts 2 c]
  double* const moments = workspace.take<double>(g.n * 2 * g.groups);  // [n 2 groups]
  T* const rows = workspace.take<T>(g.n * 3 * walk.width);             // [n 3 width]
  each_part(g, walk, [&](std::int64_t n, std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + n * partial_size + index * 2 * g.c;
    cpu::part_moments(x + n * image_size, part, g.c, out, out + g.c);
  });
  parallel_for(g.n, [&](std::int64_t n) {
    double* const of_mean = moments + n * 2 * g.groups;
    group_moments(g, walk, partial + n * partial_size, of_mean, of_mean + g.groups);
    image_rows(g, walk, of_mean, of_mean + g.groups, weight, bias, mean + n * g.groups,
               rstd + n * g.groups, rows + n * 3 * walk.width);
  });
  each_part(g, walk, [&](std::int64_t n, std::int64_t, const cpu::ColumnPart& part) {
    const T* const from = x + n * image_size;
    T* const to = y + n * image_size;
    const T* const of_mean = rows + n * 3 * walk.width;
    const T* const scale = of_mean + walk.width;
    const T* const offset = scale + walk.width;
    each_wide_row(walk, part, [=](std::int64_t at, std::int64_t count) {
      for (std::int64_t j = 0; j < count; ++j)
        to[at + j] = normalised(from[at + j], of_mean[j], scale[j], offset[j]);
    });
  });
}

// ---- gradient ----

// Adds up an image's parts: sums [2 c] of dy and of dy * (x - mean), the terms in order.
template <class T>
void join_parts(std::int64_t parts, std::int64_t size, const T* partial, T* sums) {
  std::copy_n(partial, size, sums);
  for (std::int64_t index = 1; index < parts; ++index)
    for (std::int64_t j = 0; j < size; ++j) sums[j] += partial[index * size + j];
}

// The wide rows by_dy, by_x and constant of one image.
template <class T>
void slope_rows(const GroupNormGeometry& g, const Walk& walk, const T* weight, const T* rstd,
                const T* sums, T* rows) {
  const std::int64_t channels = g.c / g.groups;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    T sum_s = 0, sum_s_x = 0;
    for (std::int64_t j = group * channels; j < (group + 1) * channels; ++j) {
      sum_s += weight[j] * sums[j];
      sum_s_x += weight[j] * sums[g.c + j];
    }
    const GroupNormSlope<T> slope =
        group_slope(rstd[group], sum_s, sum_s_x, static_cast<T>(g.count()));
    for (std::int64_t j = group * channels; j < (group + 1) * channels; ++j) {
      rows[j] = weight[j] * rstd[group];
      rows[walk.width + j] = slope.by_x;
      rows[2 * walk.width + j] = slope.constant;
    }
  }
  for (int i = 0; i < 3; ++i) walk.widen(rows + i * walk.width);
}

template <class T>
void data_gradient(const GroupNormGeometry& g, const Walk& walk, const T* x, const T* weight,
                   const T* means, const T* rstd, const T* sums, const T* dy, T* dx,
                   Workspace& workspace) {
  T* const rows = workspace.take<T>(g.n * 3 * walk.width);
  parallel_for(g.n, [&](std::int64_t n) {
    slope_rows(g, walk, weight, rstd + n * g.groups, sums + n * 2 * g.c, rows + n * 3 * walk.width);
  });
  each_part(g, walk, [&](std::int64_t n, std::int64_t, const cpu::ColumnPart& part) {
    const std::int64_t image = n * g.rows * g.c;
    const T* const mean = means + n * walk.width;
    const T* const by_dy = rows + n * 3 * walk.width;
    const T* const by_x = by_dy + walk.width;
    const T* const constant = by_x + walk.width;
    const T *const value = x + image, *const slope = dy + image;
    T* const to = dx + image;
    each_wide_row(walk, part, [=](std::int64_t at, std::int64_t count) {
      for (std::int64_t j = 0; j < count; ++j)
        to[at + j] = GroupNormSlope<T>{by_x[j], constant[j]}.dx(by_dy[j], slope[at + j],
                                                                value[at + j] - mean[j]);
    });
  });
}

template <class T>
void gradient(const GroupNormGeometry& g, const T* x, const T* weight, const T* mean, const T* rstd,
              const T* dy, T* dx, T* dweight, T* dbias, Workspace& workspace) {
  const Walk walk(g.rows, g.c);
  const std::int64_t image_size = g.rows * g.c, partial_size = walk.all_parts() * 2 * g.c;
  T* const partial = workspace.take<T>(g.n * partial_size);  // [n parts 2 c]
  T* const sums = workspace.take<T>(g.n * 2 * g.c);          // [n 2 c]
  T* const means = workspace.take<T>(g.n * walk.width);      // [n width]
  for (std::int64_t n = 0; n < g.n; ++n) {
    for (std::int64_t j = 0; j < g.c; ++j)
      means[n * walk.width + j] = mean[n * g.groups + g.group_of(j)];
    walk.widen(means + n * walk.width);
  }
  each_part(g, walk, [&](std::int64_t n, std::int64_t index, const cpu::ColumnPart& part) {
    T* const out = partial + n * partial_size + index * 2 * g.c;
    cpu::part_sums(x + n * image_size, dy + n * image_size, means + n * walk.width, part, g.c, out,
                   out + g.c);
  });
  parallel_for(g.n, [&](std::int64_t n) {
    join_parts(walk.all_parts(), 2 * g.c, partial + n * partial_size, sums + n * 2 * g.c);
  });
  for (std::int64_t j = 0; j < g.c; ++j) {
    T of_weight = 0, of_bias = 0;
    for (std::int64_t n = 0; n < g.n; ++n) {
      of_bias += sums[n * 2 * g.c + j];
      of_weight += sums[n * 2 * g.c + g.c + j] * rstd[n * g.groups + g.group_of(j)];
    }
    if (dweight != nullptr) dweight[j] = of_weight;
    if (dbias != nullptr) dbias[j] = of_bias;
  }
  if (dx != nullptr) data_gradient(g, walk, x, weight, means, rstd, sums, dy, dx, workspace);
}

}  // namespace

void cpu::group_norm_forward(const GroupNormGeometry& g, const float* x, const float* weight,
                             const float* bias, float* y, float* mean, float* rstd,
                             Workspace& workspace) {
  forward(g, x, weight, bias, y, mean, rstd, workspace);
}
void cpu::group_norm_forward(const GroupNormGeometry& g, const double* x, const double* weight,
                             const double* bias, double* y, double* mean, double* rstd,
                             Workspace& workspace) {
  forward(g, x, weight, bias, y, mean, rstd, workspace);
}
void cpu::group_norm_gradient(const GroupNormGeometry& g, const float* x, const float* weight,
                              const float* mean, const float* rstd, const float* dy, float* dx,
                              float* dweight, float* dbias, Workspace& workspace) {
  gradient(g, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}
void cpu::group_norm_gradient(const GroupNormGeometry& g, const double* x, const double* weight,
                              const double* mean, const double* rstd, const double* dy, double* dx,
                              double* dweight, double* dbias, Workspace& workspace) {
  gradient(g, x, weight, mean, rstd, dy, dx, dweight, dbias, workspace);
}

}  // namespace pliant
