#include <pliant/core/kernels/group_norm.h>

#include <algorithm>

#include <pliant/core/cpu/columns.h>

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

// Mean and rstd of each group of image n from the moments of the channels of each part, partial
// [parts 2 c].
template <class T>
void group_statistics(const GroupNormGeometry& g, const Walk& walk, std::int64_t n, const T* x,
                      const double* partial, double* mean, double* rstd) {
  const std::int64_t channels = g.c / g.groups;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    Moments held;
    double before = 0;
    for (std::int64_t index = 0; index < walk.all_parts(); ++index) {
      const auto count = static_cast<double>(walk.count(index));
      const double* const from = partial + index * 2 * g.c + group * channels;
      for (std::int64_t j = 0; j < channels && count > 0; ++j) {
        join_moments(before, held.mean, held.m2, count, from[j], from[j + g.c]);
        before += count;
      }
    }
    held = moments_again<T>(held, g.eps, g.values(), [=, &g](std::int64_t i) {
      return static_cast<double>(x[g.place(n * g.groups + group, i)]);
    });
    mean[group] = held.true_mean();
    rstd[group] = held.rstd(g.count(), g.eps);
  }
}

// Images that are worked on together, so that what is kept of each takes no more than a few
// megabytes in all; depends on the geometry alone.
std::int64_t images_at_once(const GroupNormGeometry& g, const Walk& walk) {
  constexpr std::int64_t kKept = 1 << 18;  // numbers
  return std::max<std::int64_t>(1, kKept / (walk.all_parts() * 2 * g.c + 6 * walk.width));
}

template <class T>
void forward_some(const GroupNormGeometry& g, const GroupNormForwardArgs<T>& args) {
  Workspace workspace(Device::cpu());
  const Walk walk(g.rows, g.c);
  const std::int64_t image_size = g.rows * g.c, partial_size = walk.all_parts() * 2 * g.c;
  double* const partial = workspace.take<double>(g.n * partial_size);  // [n parts 2 c]
  T* const room = workspace.take<T>(g.n * 4 * walk.width);
  const auto rows_of = [&](std::int64_t n) {
    return cpu::NormScaleRows<T>(walk, room + n * 4 * walk.width);
  };
  each_part(g, walk, [&](std::int64_t n, std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + n * partial_size + index * 2 * g.c;
    cpu::part_moments(args.x + n * image_size, part, g.c, out, out + g.c);
  });
  parallel_for(g.n, [&](std::int64_t n) {
    double *const of_mean = args.mean + n * g.groups, *const of_rstd = args.rstd + n * g.groups;
    group_statistics(g, walk, n, args.x, partial + n * partial_size, of_mean, of_rstd);
    const cpu::NormScaleRows<T> rows = rows_of(n);
    for (std::int64_t j = 0; j < g.c; ++j) {
      const std::int64_t group = g.group_of(j);
      rows.set(
          j, norm_scale(NormRow<T>(of_mean[group], of_rstd[group]), args.weight[j], args.bias[j]));
    }
    rows.widen(walk);
  });
  each_part(g, walk, [&](std::int64_t n, std::int64_t, const cpu::ColumnPart& part) {
    const cpu::NormScaleRows<T> rows = rows_of(n);
    const T* const from = args.x + n * image_size;
    T* const to = args.y + n * image_size;
    each_wide_row(walk, part, [=](std::int64_t at, std::int64_t count) {
      rows.apply(count, from + at, to + at);
    });
  });
}

template <class T>
void forward(const GroupNormGeometry& g, const GroupNormForwardArgs<T>& args, Workspace&) {
  const std::int64_t step = images_at_once(g, Walk(g.rows, g.c));
  for (std::int64_t n = 0; n < g.n; n += step) {
    GroupNormGeometry some = g;
    some.n = std::min(step, g.n - n);
    GroupNormForwardArgs<T> of = args;
    of.x += n * g.rows * g.c;
    of.y += n * g.rows * g.c;
    of.mean += n * g.groups;
    of.rstd += n * g.groups;
    forward_some(some, of);
  }
}

// ---- gradient ----

// Adds up an image's parts: sums [2 c] of dy and of dy * (x * unit - mean), the terms in order.
void join_parts(std::int64_t parts, std::int64_t size, const double* partial, double* sums) {
  std::copy_n(partial, size, sums);
  for (std::int64_t index = 1; index < parts; ++index)
    for (std::int64_t j = 0; j < size; ++j) sums[j] += partial[index * size + j];
}

// What makes image n's dy into dx.
template <class T>
void slope_rows(const GroupNormGeometry& g, const T* weight, const double* mean, const double* rstd,
                const double* sums, const cpu::NormSlopeRows<T>& rows) {
  const std::int64_t channels = g.c / g.groups;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    double sum_s = 0, sum_s_x = 0;
    for (std::int64_t j = group * channels; j < (group + 1) * channels; ++j) {
      sum_s += static_cast<double>(weight[j]) * sums[j];
      sum_s_x += static_cast<double>(weight[j]) * sums[g.c + j];
    }
    for (std::int64_t j = group * channels; j < (group + 1) * channels; ++j)
      rows.set(j, norm_slope(NormRow<T>(mean[group], rstd[group]), weight[j], sum_s / g.count(),
                             sum_s_x / g.count()));
  }
}

template <class T>
void data_gradient(const GroupNormGeometry& g, const Walk& walk, const T* x, const T* weight,
                   const double* mean, const double* rstd, const double* sums, const T* dy, T* dx,
                   Workspace& workspace) {
  T* const room = workspace.take<T>(g.n * 6 * walk.width);
  const auto rows_of = [&](std::int64_t n) {
    return cpu::NormSlopeRows<T>(walk, room + n * 6 * walk.width);
  };
  parallel_for(g.n, [&](std::int64_t n) {
    const std::int64_t at = n * g.groups;
    slope_rows(g, weight, mean + at, rstd + at, sums + n * 2 * g.c, rows_of(n));
    rows_of(n).widen(walk);
  });
  each_part(g, walk, [&](std::int64_t n, std::int64_t, const cpu::ColumnPart& part) {
    const std::int64_t image = n * g.rows * g.c;
    const cpu::NormSlopeRows<T> rows = rows_of(n);
    const T *const value = x + image, *const slope = dy + image;
    T* const to = dx + image;
    each_wide_row(walk, part, [=](std::int64_t at, std::int64_t count) {
      rows.apply(count, value + at, slope + at, to + at);
    });
  });
}

// Adds these images' share of the gradients by weight and bias [2 c].
template <class T>
void gradient_some(const GroupNormGeometry& g, const GroupNormGradientArgs<T>& args,
                   double* sums_c) {
  Workspace workspace(Device::cpu());
  const Walk walk(g.rows, g.c);
  const std::int64_t image_size = g.rows * g.c, partial_size = walk.all_parts() * 2 * g.c;
  double* const partial = workspace.take<double>(g.n * partial_size);  // [n parts 2 c]
  double* const sums = workspace.take<double>(g.n * 2 * g.c);          // [n 2 c]
  T* const units = workspace.take<T>(g.n * 2 * walk.width);            // [n 2 width]: unit, mean
  for (std::int64_t n = 0; n < g.n; ++n) {
    T *const unit = units + n * 2 * walk.width, *const of_mean = unit + walk.width;
    for (std::int64_t j = 0; j < g.c; ++j) {
      const std::int64_t at = n * g.groups + g.group_of(j);
      const NormRow<T> row(args.mean[at], args.rstd[at]);
      unit[j] = row.unit;
      of_mean[j] = row.mean;
    }
    walk.widen(unit);
    walk.widen(of_mean);
  }
  each_part(g, walk, [&](std::int64_t n, std::int64_t index, const cpu::ColumnPart& part) {
    double* const out = partial + n * partial_size + index * 2 * g.c;
    const T* const unit = units + n * 2 * walk.width;
    cpu::part_sums(args.x + n * image_size, args.dy + n * image_size, unit, unit + walk.width, part,
                   g.c, out, out + g.c);
  });
  parallel_for(g.n, [&](std::int64_t n) {
    join_parts(walk.all_parts(), 2 * g.c, partial + n * partial_size, sums + n * 2 * g.c);
  });
  for (std::int64_t j = 0; j < g.c; ++j) {
    double &of_weight = sums_c[j], &of_bias = sums_c[g.c + j];
    for (std::int64_t n = 0; n < g.n; ++n) {
      const std::int64_t at = n * g.groups + g.group_of(j);
      const double* const of_image = sums + n * 2 * g.c + j;
      of_bias += of_image[0];
      of_weight += NormRow<T>(args.mean[at], args.rstd[at]).along(of_image[0], of_image[g.c]);
    }
  }
  if (args.dx != nullptr)
    data_gradient(g, walk, args.x, args.weight, args.mean, args.rstd, sums, args.dy, args.dx,
                  workspace);
}

template <class T>
void gradient(const GroupNormGeometry& g, const GroupNormGradientArgs<T>& args,
              Workspace& workspace) {
  double* const of_channels = workspace.take<double>(2 * g.c);
  std::fill_n(of_channels, 2 * g.c, 0.0);
  const std::int64_t step = images_at_once(g, Walk(g.rows, g.c));
  for (std::int64_t n = 0; n < g.n; n += step) {
    GroupNormGeometry some = g;
    some.n = std::min(step, g.n - n);
    GroupNormGradientArgs<T> of = args;
    const std::int64_t at = n * g.rows * g.c;
    of.x += at;
    of.dy += at;
    if (of.dx != nullptr) of.dx += at;
    of.mean += n * g.groups;
    of.rstd += n * g.groups;
    gradient_some(some, of, of_channels);
  }
  for (std::int64_t j = 0; j < g.c; ++j) {
    if (args.dweight != nullptr) args.dweight[j] = static_cast<T>(of_channels[j]);
    if (args.dbias != nullptr) args.dbias[j] = static_cast<T>(of_channels[g.c + j]);
  }
}

}  // namespace

constinit FloatKernel<GroupNormForward> cpu::group_norm_forward{forward, forward};
constinit FloatKernel<GroupNormGradient> cpu::group_norm_gradient{gradient, gradient};

}  // namespace pliant
