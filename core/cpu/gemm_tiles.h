// How products are cut for the micro kernels: columns into panels, rows into tiles, sums into
// blocks. Shared by gemm.cpp and the convolutions; not for use elsewhere.
#pragma once

#include <cstdint>

#include <pliant/core/cpu/gemm.h>

namespace pliant::cpu {

inline constexpr std::int64_t kTileRows = 6;  // rows of a register tile
inline constexpr std::int64_t kMaxPanelWidth = 64;

// Columns [first, first + columns) of a matrix, filled up to `width`, a whole number of vectors.
struct Panel {
  std::int64_t first, columns, width;
};

// n columns cut into panels of at most four (or two) vectors, as even as can be. Panel p of a
// packed matrix of k rows starts at element k * panel.first.
template <class T>
class Panels {
 public:
  explicit Panels(std::int64_t n);
  std::int64_t count() const { return count_; }
  std::int64_t width() const;  // of all panels together
  Panel operator[](std::int64_t p) const;

 private:
  std::int64_t n_, vectors_, count_;
};

// Rows [row, row + k) of every panel of a packed matrix of `depth` rows, from b [k, n]: serial;
// `to` is where the first of those rows starts in the packed panel.
template <class T>
void pack_panel(const Panel& panel, std::int64_t k, const MatrixView<T>& b, T* to);

// A tile of at most kTileRows rows, whose left operand is scattered in memory.
template <class T>
struct Tile {
  std::int64_t rows;
  const T* const* a;  // [taps][kTileRows]: where row i starts under tap t
  T* const* c;        // [kTileRows]: where row i of the result starts, at the panel's first column
};

// tile.c (+)= sum over taps of tile.a [rows, depth] times rows [t * depth, (t+1) * depth) of the
// packed panel, plus bias[panel.first ...].
template <class T>
void gemm_tile(const Tile<T>& tile, std::int64_t taps, std::int64_t depth, const Panel& panel,
               const T* packed, const T* bias, Accumulate accumulate);

// c[m, panel] (+)= a[m, k] times the packed panel, plus bias[panel.first ...]: element (i, j) of
// the whole result is c[i * ldc + j].
template <class T>
void gemm_panel(std::int64_t m, std::int64_t k, const T* a, std::int64_t lda, const Panel& panel,
                const T* packed, T* c, std::int64_t ldc, const T* bias,
                Accumulate accumulate = Accumulate::no);

// The product of gemm_tile for rows that lie evenly spaced in memory.
template <class T>
struct Line {
  std::int64_t rows;  // any number
  const T* const* a;  // where row 0 starts, [taps]
  std::int64_t step;  // from row to row of a
  T* c;               // at column 0 of the whole result
  std::int64_t ldc;
};

template <class T>
void gemm_line(const Line<T>& line, std::int64_t taps, std::int64_t depth, const Panel& panel,
               const T* packed, const T* bias);

// A walk over lines of locations, evenly spaced within a line and from line to line.
template <class T>
struct Lattice {
  const T* data;
  std::int64_t line, step;
};

// Rows that gemm_patch takes at once beside a panel of this width; never more than kMaxPatchRows.
template <class T>
std::int64_t max_patch_rows(std::int64_t panel_width);
inline constexpr std::int64_t kMaxPatchRows = 12;

// sum[i * ld + j] += sum over lines and steps of a[offsets[i]] * b[j]; i < m, j < width, a panel's.
template <class T>
void gemm_patch(const Lattice<T>& a, const Lattice<T>& b, std::int64_t lines, std::int64_t steps,
                const std::int64_t* offsets, std::int64_t m, std::int64_t width, T* sum,
                std::int64_t ld);

}  // namespace pliant::cpu
