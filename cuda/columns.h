// A convolution as products with its columns, which is what conv2d and deform_conv2d share. A row
// of the columns is what one output location reads:
//
//   columns [n*p*q][groups][r*s][c/groups]
//
// so that each group's part is a matrix beside its weights [k/groups][r*s*(c/groups)]. The whole
// may be large, so it is made and used slice by slice; slices are cut by shapes and
// column_memory() alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/column_memory.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant::cuda {

inline constexpr std::int64_t kSliceBytes = std::int64_t{64} << 20;  // without a column_memory()

// Rows begin .. end-1.
struct Slice {
  std::int64_t begin, end;
  PLIANT_HD std::int64_t rows() const { return end - begin; }
};

struct ColumnsGeometry {
  std::int64_t rows, taps, in, out, groups;  // in, out: channels of a group
  std::int64_t width;                        // elements of a row
  std::int64_t slice_rows;                   // at most so many at a time

  template <class T>
  static ColumnsGeometry of(const Conv2dGeometry& g) {
    const std::int64_t rows = g.n * g.p * g.q, width = g.c * g.r * g.s;
    const auto row_bytes = std::max<std::int64_t>(width * static_cast<std::int64_t>(sizeof(T)), 1);
    const std::int64_t bytes = column_memory() > 0 ? column_memory() : kSliceBytes;
    return {rows,
            g.r * g.s,
            g.c / g.groups,
            g.k / g.groups,
            g.groups,
            width,
            std::clamp<std::int64_t>(bytes / row_bytes, 1, std::max<std::int64_t>(rows, 1))};
  }

  Slice all() const { return {0, rows}; }
  // Element of a row that holds channel c (of all) through a tap.
  PLIANT_HD std::int64_t at(std::int64_t tap, std::int64_t c) const {
    return (c / in * taps + tap) * in + c % in;
  }
};

template <class F>
void each_slice(const ColumnsGeometry& g, F f) {
  for (std::int64_t begin = 0; begin < g.rows; begin += g.slice_rows)
    f(Slice{begin, std::min(g.rows, begin + g.slice_rows)});
}

// In all three, columns are those of the slice, y and dy those of all rows.
//
// y = columns weight^T + bias; bias may be null.
template <class T>
void multiply_columns(const char* op, const ColumnsGeometry& g, Slice slice, const T* columns,
                      const T* weight, const T* bias, T* y);
// columns = dy weight
template <class T>
void columns_gradient(const char* op, const ColumnsGeometry& g, Slice slice, const T* dy,
                      const T* weight, T* columns);
// dweight += dy^T columns
template <class T>
void add_weight_gradient(const char* op, const ColumnsGeometry& g, Slice slice, const T* dy,
                         const T* columns, Wide<T>* dweight);

}  // namespace pliant::cuda
