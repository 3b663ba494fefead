// Columns of a matrix x [rows c] walked in vectors on the CPU, in parts that depend on its shape
// alone: moments of each column, and the sums that a normalisation's gradient needs.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/kernels/batch_norm2d.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

inline constexpr std::int64_t kMaxParts = 16;
inline constexpr std::int64_t kPartElements = 16384;  // at least so many in a part
inline constexpr std::int64_t kColumns = 256;         // columns worked on side by side
inline constexpr std::int64_t kRun = 16;  // rows of kColumns that stay in the first cache

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

// Mean, less `shift`, and sum of squared deviations of up to kColumns columns. Each run of rows is
// read from memory once and from the cache once, about its own mean: as exact as two passes.
template <class T>
void column_moments(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t columns,
                    const T* shift, T* mean, T* m2) {
  std::fill_n(mean, columns, T(0));
  std::fill_n(m2, columns, T(0));
  for (std::int64_t at = 0; at < rows; at += kRun) {
    const std::int64_t n = std::min(kRun, rows - at);
    const T* const run = x + at * stride;
    T run_mean[kColumns] = {}, run_m2[kColumns] = {};
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < columns; ++j) run_mean[j] += run[i * stride + j] - shift[j];
    for (std::int64_t j = 0; j < columns; ++j) run_mean[j] /= static_cast<T>(n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const T deviation = run[i * stride + j] - shift[j] - run_mean[j];
        run_m2[j] += deviation * deviation;
      }
    for (std::int64_t j = 0; j < columns; ++j)
      join_moments(static_cast<T>(at), mean[j], m2[j], static_cast<T>(n), run_mean[j], run_m2[j]);
  }
}

// Mean and sum of squared deviations of each channel over one part of x, in double [c].
template <class T>
void part_moments(const T* x, const ColumnPart& part, std::int64_t c, double* mean, double* m2) {
  x += part.begin;
  const std::int64_t rows = part.rows, fold = part.fold;
  for (std::int64_t from = 0; from < c; from += kColumns) {  // once, unless fold is 1
    const std::int64_t channels = std::min(kColumns, c - from), columns = channels * fold;
    T shift[kColumns], column_mean[kColumns], column_m2[kColumns];
    for (std::int64_t j = 0; j < columns; ++j) shift[j] = rows > 0 ? x[from + j % channels] : T(0);
    column_moments(x + from, rows, c * fold, columns, shift, column_mean, column_m2);
    for (std::int64_t half = columns / 2, n = rows; half >= channels && n > 0; half /= 2, n *= 2)
      for (std::int64_t j = 0; j < half; ++j)
        join_moments(static_cast<T>(n), column_mean[j], column_m2[j], static_cast<T>(n),
                     column_mean[j + half], column_m2[j + half]);
    for (std::int64_t j = 0; j < channels; ++j) {
      mean[from + j] = static_cast<double>(shift[j]) + static_cast<double>(column_mean[j]);
      m2[from + j] = static_cast<double>(column_m2[j]);
    }
  }
}

// Adds up dy and, if x is not null, dy * (x - mean), over the rows of up to kColumns columns.
template <class T>
void column_sums(const T* x, const T* dy, const T* mean, std::int64_t rows, std::int64_t stride,
                 std::int64_t columns, T* sum_dy, T* sum_dy_x) {
  std::fill_n(sum_dy, columns, T(0));
  std::fill_n(sum_dy_x, columns, T(0));
  for (std::int64_t at = 0; at < rows; at += kRun) {
    T run_dy[kColumns] = {}, run_dy_x[kColumns] = {};
    for (std::int64_t i = at; i < std::min(rows, at + kRun); ++i) {
      const T* const slope = dy + i * stride;
      for (std::int64_t j = 0; j < columns; ++j) run_dy[j] += slope[j];
      if (x == nullptr) continue;
      const T* const value = x + i * stride;
      for (std::int64_t j = 0; j < columns; ++j) run_dy_x[j] += slope[j] * (value[j] - mean[j]);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      sum_dy[j] += run_dy[j];
      sum_dy_x[j] += run_dy_x[j];
    }
  }
}

// sum_dy and sum_dy_x [c] over one part; mean is a wide row; x and mean may be null.
template <class T>
void part_sums(const T* x, const T* dy, const T* mean, const ColumnPart& part, std::int64_t c,
               T* sum_dy, T* sum_dy_x) {
  for (std::int64_t from = 0; from < c; from += kColumns) {
    const std::int64_t channels = std::min(kColumns, c - from), columns = channels * part.fold;
    T of_dy[kColumns], of_dy_x[kColumns];
    column_sums(x == nullptr ? nullptr : x + part.begin + from, dy + part.begin + from,
                mean == nullptr ? nullptr : mean + from, part.rows, c * part.fold, columns, of_dy,
                of_dy_x);
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
