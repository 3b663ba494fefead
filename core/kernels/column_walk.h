// Columns of a matrix x [rows c] walked in vectors on the CPU, in parts that depend on its shape
// alone: moments of each column, and the sums that a normalisation's gradient needs.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

inline constexpr std::int64_t kMaxParts = 16;
inline constexpr std::int64_t kPartElements = 16384;  // at least so many in a part
inline constexpr std::int64_t kColumns = 256;         // columns worked on side by side
inline constexpr std::int64_t kRun = 64;  // rows whose moments are taken about the first of them

// Some rows of x: its first element, and how many rows of `fold` narrow rows each.
struct ColumnPart {
  std::int64_t begin, rows, fold;
};

// How x [rows c] is walked: `fold` rows as one of `width` elements, so that few channels fill
// vectors too. Column j of a wide row belongs to channel j % c. The wide rows are cut into parts;
// the last, fewer than `fold` narrow rows make a part of their own.
struct ColumnWalk {
  std::int64_t c, fold = 1, width, wide_rows, tail_rows, parts, part_rows;

  ColumnWalk(std::int64_t rows, std::int64_t columns) : c(columns) {
    while (c > 0 && 2 * fold * c <= kColumns) fold *= 2;
    width = fold * c;
    wide_rows = rows / fold;
    tail_rows = rows % fold;
    parts = std::clamp<std::int64_t>(wide_rows * width / kPartElements, 1, kMaxParts);
    part_rows = (wide_rows + parts - 1) / parts;
  }
  std::int64_t all_parts() const { return parts + 1; }

  ColumnPart part(std::int64_t index) const {
    if (index == parts) return {wide_rows * width, tail_rows, 1};
    const std::int64_t begin = std::min(wide_rows, index * part_rows);
    return {begin * width, std::min(wide_rows, begin + part_rows) - begin, fold};
  }
  // Calls f(index, part) for every part.
  template <class F>
  void each_part(F f) const {
    parallel_for(parts, [&](std::int64_t index) {
      f(index, part(index));
      if (index == parts - 1) f(parts, part(parts));
    });
  }
  // Values per channel in a part.
  std::int64_t count(std::int64_t index) const { return part(index).rows * part(index).fold; }

  // Repeats [c] to a wide row: the first c elements are there already.
  template <class T>
  void widen(T* row) const {
    for (std::int64_t j = c; j < width; ++j) row[j] = row[j - c];
  }
};

// Calls f(j, first, second, third, fourth) for each of `columns` columns of four rows at a time,
// and one(j, row) for those of rows that are left over: sums then go through the cache less often.
template <class T, class Four, class One>
void each_four_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                    Four four, One one) {
  std::int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const T *const first = x + i * stride, *const second = first + stride;
    const T *const third = second + stride, *const fourth = third + stride;
    for (std::int64_t j = 0; j < columns; ++j) four(j, first[j], second[j], third[j], fourth[j]);
  }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) one(j, x[i * stride + j]);
}

// Mean and sum of squared deviations of up to kColumns columns, in double. Those of a run of rows
// are taken about its first one: being one of the values, it is no further from their mean than
// their number times the deviation, and a run is short.
template <class T>
void column_moments(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                    double* mean, double* m2) {
  std::fill_n(mean, columns, 0.0);
  std::fill_n(m2, columns, 0.0);
  for (std::int64_t at = 0; at < rows; at += kRun) {
    const std::int64_t n = std::min(kRun, rows - at);
    const T* const run = x + at * stride;
    double first[kColumns], sum[kColumns] = {}, squares[kColumns] = {};
    for (std::int64_t j = 0; j < columns; ++j) first[j] = static_cast<double>(run[j]);
    each_four_rows(
        run, n, stride, columns,
        [&](std::int64_t j, T a, T b, T c, T d) {
          const double da = static_cast<double>(a) - first[j],
                       db = static_cast<double>(b) - first[j];
          const double dc = static_cast<double>(c) - first[j],
                       dd = static_cast<double>(d) - first[j];
          sum[j] += (da + db) + (dc + dd);
          squares[j] += (da * da + db * db) + (dc * dc + dd * dd);
        },
        [&](std::int64_t j, T a) {
          const double deviation = static_cast<double>(a) - first[j];
          sum[j] += deviation;
          squares[j] += deviation * deviation;
        });
    const auto before = static_cast<double>(at), count = static_cast<double>(n);
    for (std::int64_t j = 0; j < columns; ++j) {
      const double run_mean = sum[j] / count, run_m2 = squares[j] - sum[j] * run_mean;
      join_moments(before, mean[j], m2[j], count, first[j] + run_mean, run_m2 < 0 ? 0 : run_m2);
    }
  }
}

// Mean and sum of squared deviations of each channel over one part of x [c].
template <class T>
void part_moments(const T* x, const ColumnPart& part, std::int64_t c, double* mean, double* m2) {
  x += part.begin;
  const std::int64_t rows = part.rows, fold = part.fold;
  for (std::int64_t from = 0; from < c; from += kColumns) {  // once, unless fold is 1
    const std::int64_t channels = std::min(kColumns, c - from), columns = channels * fold;
    double column_mean[kColumns], column_m2[kColumns];
    column_moments(x + from, rows, c * fold, columns, column_mean, column_m2);
    for (std::int64_t half = columns / 2, n = rows; half >= channels && n > 0; half /= 2, n *= 2)
      for (std::int64_t j = 0; j < half; ++j)
        join_moments(static_cast<double>(n), column_mean[j], column_m2[j], static_cast<double>(n),
                     column_mean[j + half], column_m2[j + half]);
    std::copy_n(column_mean, channels, mean + from);
    std::copy_n(column_m2, channels, m2 + from);
  }
}

// What normalises the channels, as wide rows side by side [4 width]: NormScale element by element.
template <class T>
struct NormScaleRows {
  T *unit, *mean, *scale, *offset;

  NormScaleRows(const ColumnWalk& walk, T* room)
      : unit(room), mean(unit + walk.width), scale(mean + walk.width), offset(scale + walk.width) {}
  void set(std::int64_t j, const NormScale<T>& of) const {
    unit[j] = of.unit;
    mean[j] = of.mean;
    scale[j] = of.scale;
    offset[j] = of.offset;
  }
  void widen(const ColumnWalk& walk) const {
    for (T* const row : {unit, mean, scale, offset}) walk.widen(row);
  }
  // y from the first n elements of a wide row x.
  void apply(std::int64_t n, const T* x, T* y) const {
    for (std::int64_t j = 0; j < n; ++j)
      y[j] = NormScale<T>{unit[j], mean[j], scale[j], offset[j]}.y(x[j]);
  }
};

// The same of NormSlope, [6 width].
template <class T>
struct NormSlopeRows {
  T *unit, *mean, *weight, *constant, *along, *rstd;

  NormSlopeRows(const ColumnWalk& walk, T* room)
      : unit(room),
        mean(unit + walk.width),
        weight(mean + walk.width),
        constant(weight + walk.width),
        along(constant + walk.width),
        rstd(along + walk.width) {}
  void set(std::int64_t j, const NormSlope<T>& of) const {
    unit[j] = of.unit;
    mean[j] = of.mean;
    weight[j] = of.weight;
    constant[j] = of.constant;
    along[j] = of.along;
    rstd[j] = of.rstd;
  }
  void widen(const ColumnWalk& walk) const {
    for (T* const row : {unit, mean, weight, constant, along, rstd}) walk.widen(row);
  }
  void apply(std::int64_t n, const T* x, const T* dy, T* dx) const {
    for (std::int64_t j = 0; j < n; ++j)
      dx[j] =
          NormSlope<T>{unit[j], mean[j], weight[j], constant[j], along[j], rstd[j]}.dx(x[j], dy[j]);
  }
};

// Adds up dy and, if x is not null, dy * (x * unit - mean), over the rows of up to kColumns
// columns.
template <class T>
void column_sums(const T* x, const T* dy, const T* unit, const T* mean, std::int64_t rows,
                 std::int64_t stride, std::int64_t columns, double* sum_dy, double* sum_dy_x) {
  std::fill_n(sum_dy, columns, 0.0);
  std::fill_n(sum_dy_x, columns, 0.0);
  if (x == nullptr)
    return each_four_rows(
        dy, rows, stride, columns,
        [=](std::int64_t j, T a, T b, T c, T d) {
          sum_dy[j] += (static_cast<double>(a) + static_cast<double>(b)) +
                       (static_cast<double>(c) + static_cast<double>(d));
        },
        [=](std::int64_t j, T a) { sum_dy[j] += static_cast<double>(a); });
  const auto along = [=](const T* slope, const T* value, std::int64_t j) {
    return static_cast<double>(slope[j]) * static_cast<double>(value[j] * unit[j] - mean[j]);
  };
  std::int64_t i = 0;
  for (; i + 2 <= rows; i += 2) {
    const T *const slope = dy + i * stride, *const next = slope + stride;
    const T *const value = x + i * stride, *const next_value = value + stride;
    for (std::int64_t j = 0; j < columns; ++j) {
      sum_dy[j] += static_cast<double>(slope[j]) + static_cast<double>(next[j]);
      sum_dy_x[j] += along(slope, value, j) + along(next, next_value, j);
    }
  }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      sum_dy[j] += static_cast<double>(dy[i * stride + j]);
      sum_dy_x[j] += along(dy + i * stride, x + i * stride, j);
    }
}

// sum_dy and sum_dy_x [c] over one part; unit and mean are wide rows; with x they may be null.
template <class T>
void part_sums(const T* x, const T* dy, const T* unit, const T* mean, const ColumnPart& part,
               std::int64_t c, double* sum_dy, double* sum_dy_x) {
  for (std::int64_t from = 0; from < c; from += kColumns) {
    const std::int64_t channels = std::min(kColumns, c - from), columns = channels * part.fold;
    double of_dy[kColumns], of_dy_x[kColumns];
    if (x == nullptr)
      column_sums<T>(nullptr, dy + part.begin + from, nullptr, nullptr, part.rows, c * part.fold,
                     columns, of_dy, of_dy_x);
    else
      column_sums(x + part.begin + from, dy + part.begin + from, unit + from, mean + from,
                  part.rows, c * part.fold, columns, of_dy, of_dy_x);
    for (std::int64_t half = columns / 2; half >= channels; half /= 2)
      for (std::int64_t j = 0; j < half; ++j) {
        of_dy[j] += of_dy[j + half];
        of_dy_x[j] += of_dy_x[j + half];
      }
    std::copy_n(of_dy, channels, sum_dy + from);
    std::copy_n(of_dy_x, channels, sum_dy_x + from);
  }
}

}  // namespace pliant::cpu
