// The micro kernels as their callers see them: jobs, and a table of functions.
#pragma once

#include <cstdint>

namespace pliant::cpu::micro {

inline constexpr int kMaxRows = 6;        // of a tile
inline constexpr int kMaxPatchRows = 12;  // of a patch
inline constexpr int kMostVectors = 4;    // of a panel, whatever the instruction set

// c[i][0..columns) (+)= bias + sum over taps t and depth d of a[t][i][d] * b[t * depth + d][..]
template <class T>
struct RowsJob {
  const T* const* a;  // row pointers, [taps][kMaxRows]
  std::int64_t taps;
  std::int64_t depth;    // elements summed per tap
  const T* b;            // a panel [taps * depth, width]
  T* const* c;           // row pointers [kMaxRows]
  std::int64_t columns;  // at most the panel's width: how many are stored
  const T* bias;         // [columns] or null
  bool add;              // whether c is added to
};

// The same as RowsJob where neighbouring rows of A lie `step` apart and those of C `ldc`: any
// number of them, in one call.
template <class T>
struct LineJob {
  const T* const* a;  // where row 0 starts, [taps]
  std::int64_t step;
  std::int64_t taps;
  std::int64_t depth;
  const T* b;
  T* c;
  std::int64_t ldc;
  std::int64_t rows;
  std::int64_t columns;
  const T* bias;
  bool add;
};

// c[i * ldc + 0..width) += sum over lines l and steps e of
//   a[l * a_line + e * a_step + offsets[i]] * b[l * b_line + e * b_step + 0..width)
template <class T>
struct PatchJob {
  const T* a;
  std::int64_t a_line, a_step;
  const T* b;
  std::int64_t b_line, b_step;
  std::int64_t lines, steps;
  const std::int64_t* offsets;
  T* c;
  std::int64_t ldc;
};

// Rows of a patch that fit into registers beside `vectors` vectors of columns, where kMaxRows rows
// fit beside `max_vectors`.
constexpr int max_patch_rows(int vectors, int max_vectors) {
  const int rows = kMaxRows * max_vectors / vectors;
  return rows < kMaxPatchRows ? rows : kMaxPatchRows;
}

template <class Job>
using Kernel = void (*)(const Job&);

// The kernels by [rows - 1][vectors - 1]; null where the registers do not suffice.
template <class T>
struct KernelsOf {
  int lanes;        // elements of a vector
  int max_vectors;  // of a panel
  Kernel<RowsJob<T>> rows[kMaxRows][kMostVectors] = {};
  Kernel<PatchJob<T>> patch[kMaxPatchRows][kMostVectors] = {};  // up to max_patch_rows()
  Kernel<LineJob<T>> line[kMostVectors] = {};
};

struct Kernels {
  KernelsOf<float> float32;
  KernelsOf<double> float64;
};

extern const Kernels kKernels;

}  // namespace pliant::cpu::micro
