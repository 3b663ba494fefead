// How products are cut for the micro kernels: columns into panels, rows into tiles, sums into
// blocks. Shared by gemm.cpp and the convolutions; not for use elsewhere.
#pragma once

#include <cstdint>

#include <pliant/core/gemm.h>

namespace pliant::cpu {

inline constexpr std::int64_t kTileRows = 6;       // rows of a register tile
inline constexpr std::int64_t kBlockEntries = 64;  // locations that gemm_block takes at a time
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
  std::int64_t n_, count_, vectors_;
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

// Pointers to the rows of both operands of a sum over locations; at most kBlockEntries.
template <class T>
struct Entries {
  const T* a[kBlockEntries];
  const T* b[kBlockEntries];
  std::int64_t count = 0;
};

// sum[i * panel.width + j] += sum over entries of a[first_a + i] * b[panel.first + j]; i < m. `sum`
// has whole vectors of columns, of which those past panel.columns are of no meaning.
template <class T>
void gemm_block(const Entries<T>& entries, std::int64_t first_a, std::int64_t m, const Panel& panel,
                T* sum);

}  // namespace pliant::cpu
