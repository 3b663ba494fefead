// Columns of a matrix x [rows c] walked in vectors on the CPU, in parts that depend on its shape
// alone: moments of each column, and the sums that a normalisation's gradient needs.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

inline constexpr std::int64_t kPartElements = 16384;  // at least so many in a part
inline constexpr std::int64_t kColumns = 256;         // columns worked on side by side
inline constexpr std::int64_t kRun = 16;  // rows of kColumns that stay in the first cache
struct ColumnPart {
  std::int64_t begin, rows, fold;
};

// How x [rows c] is walked: `fold` rows as one of `width` elements, so that few channels fill
// vectors too. Column j of a wide row belongs to channel j % c. The wide rows are cut into parts;
// the last, fewer than `fold` narrow rows make a part of their own.
struct ColumnWalk {
  std::int64_t c, fold = 1, width, wide_rows, tail_rows, parts, part_rows;

  ColumnWalk(std::int64_t rows, std::int64_t columns) : c(columns) {
    while (c > 0 && 2 * fold * c <= kColumns && 2 * fold <= rows) fold *= 2;
    width = fold * c;
    wide_rows = rows / fold;
    tail_rows = rows % fold;
    parts = std::clamp<std::int64_t>(wide_rows * width / kPartElements, 1, kMostPartials);
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

// Mean and sum of squared deviations of up to kColumns columns, in double. Each run of rows is read
// from memory once and from the cache once, about its first row and its own mean: as exact as two
// passes.
template <class T>
void column_moments(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                    double* mean, double* m2) {
  std::fill_n(mean, columns, 0.0);
  std::fill_n(m2, columns, 0.0);
  for (std::int64_t at = 0; at < rows; at += kRun) {
    const std::int64_t n = std::min(kRun, rows - at);
    const T* const run = x + at * stride;
    T run_mean[kColumns] = {}, run_m2[kColumns] = {};
    for (std::int64_t i = 1; i < n; ++i)
      for (std::int64_t j = 0; j < columns; ++j) run_mean[j] += run[i * stride + j] - run[j];
    for (std::int64_t j = 0; j < columns; ++j) run_mean[j] /= static_cast<T>(n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const T deviation = run[i * stride + j] - run[j] - run_mean[j];
        run_m2[j] += deviation * deviation;
      }
    const auto before = static_cast<double>(at), count = static_cast<double>(n);
    for (std::int64_t j = 0; j < columns; ++j)
      join_moments(before, mean[j], m2[j], count,
                   static_cast<double>(run[j]) + static_cast<double>(run_mean[j]),
                   static_cast<double>(run_m2[j]));
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
  for (std::int64_t at = 0; at < rows; at += kRun) {
    T run_dy[kColumns] = {}, run_dy_x[kColumns] = {};
    for (std::int64_t i = at; i < std::min(rows, at + kRun); ++i) {
      const T* const slope = dy + i * stride;
      for (std::int64_t j = 0; j < columns; ++j) run_dy[j] += slope[j];
      if (x == nullptr) continue;
      const T* const value = x + i * stride;
      for (std::int64_t j = 0; j < columns; ++j)
        run_dy_x[j] += slope[j] * (value[j] * unit[j] - mean[j]);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      sum_dy[j] += static_cast<double>(run_dy[j]);
      sum_dy_x[j] += static_cast<double>(run_dy_x[j]);
    }
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
