#include <pliant/core/cpu/gemm_tiles.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include <pliant/core/cpu/gemm_kernels.h>

namespace pliant::cpu {
namespace {

static_assert(kTileRows == micro::kMaxRows);
static_assert(kMaxPatchRows == micro::kMaxPatchRows);

template <class T>
const micro::KernelsOf<T>& kernels_of() {
  if constexpr (std::is_same_v<T, float>)
    return micro::kKernels.float32;
  else
    return micro::kKernels.float64;
}

template <class T>
std::int64_t lanes() {
  return kernels_of<T>().lanes;
}

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A long sum is cut into runs, whose sums are added up in turn, and a very long one into such sums,
// which are added up in double: few runs cost nothing. How a sum is cut follows from its shape.
constexpr std::int64_t kRun = 128, kLong = 16 * kRun;

// Calls f(tap, taps, at, depth) for runs of `taps` taps of depth [at, at + depth) each.
template <class F>
void each_run(std::int64_t taps, std::int64_t depth, std::int64_t run, F f) {
  if (taps * depth <= 2 * run) return f(std::int64_t{0}, taps, std::int64_t{0}, depth);
  if (depth <= run) {
    const std::int64_t together = run / depth;
    for (std::int64_t tap = 0; tap < taps; tap += together)
      f(tap, std::min(together, taps - tap), std::int64_t{0}, depth);
    return;
  }
  for (std::int64_t tap = 0; tap < taps; ++tap)
    for (std::int64_t at = 0; at < depth; at += run)
      f(tap, std::int64_t{1}, at, std::min(run, depth - at));
}

// The rows of a tile under one tap, from element `at` of each on.
template <class T>
struct TileRows {
  const T* rows[kTileRows];

  TileRows(const Tile<T>& tile, std::int64_t tap, std::int64_t at) {
    for (std::int64_t i = 0; i < tile.rows; ++i) rows[i] = tile.a[tap * kTileRows + i] + at;
  }
};

// gemm_tile of a very long sum.
template <class T>
void gemm_long_tile(const Tile<T>& tile, std::int64_t taps, std::int64_t depth, const Panel& panel,
                    const T* packed, const T* bias, Accumulate accumulate) {
  alignas(kAlignment) T sum[kTileRows * kMaxPanelWidth];
  double total[kTileRows * kMaxPanelWidth];
  T* to[kTileRows];
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    to[i] = sum + i * kMaxPanelWidth;
    for (std::int64_t j = 0; j < panel.columns; ++j)
      total[i * kMaxPanelWidth + j] =
          (accumulate == Accumulate::yes ? static_cast<double>(tile.c[i][j]) : 0.0) +
          (bias == nullptr ? 0.0 : static_cast<double>(bias[panel.first + j]));
  }
  each_run(taps, depth, kLong,
           [&](std::int64_t tap, std::int64_t count, std::int64_t at, std::int64_t n) {
             const TileRows<T> further(tile, tap, at);
             const Tile<T> run{tile.rows, at > 0 ? further.rows : tile.a + tap * kTileRows, to};
             gemm_tile<T>(run, count, n, panel, packed + (tap * depth + at) * panel.width, nullptr,
                          Accumulate::no);
             for (std::int64_t i = 0; i < tile.rows; ++i)
               for (std::int64_t j = 0; j < panel.columns; ++j)
                 total[i * kMaxPanelWidth + j] += static_cast<double>(to[i][j]);
           });
  for (std::int64_t i = 0; i < tile.rows; ++i)
    for (std::int64_t j = 0; j < panel.columns; ++j)
      tile.c[i][j] = static_cast<T>(total[i * kMaxPanelWidth + j]);
}

// Columns of b are rows in memory: goes block-wise, so that both sides stay in the first cache.
template <class T>
void pack_transposed(const Panel& panel, std::int64_t k, const MatrixView<T>& b, T* to) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t first = 0; first < k; first += kBlock) {
    const std::int64_t last = std::min(k, first + kBlock);
    for (std::int64_t j = 0; j < panel.columns; ++j) {
      const T* const from = b.data + (panel.first + j) * b.stride;
      for (std::int64_t i = first; i < last; ++i) to[i * panel.width + j] = from[i];
    }
  }
}

// gemm_line of a very long sum: by tiles.
template <class T>
void gemm_long_line(const Line<T>& line, std::int64_t taps, std::int64_t depth, const Panel& panel,
                    const T* packed, const T* bias) {
  std::vector<const T*> rows(static_cast<std::size_t>(taps * kTileRows));
  T* results[kTileRows];
  for (std::int64_t first = 0; first < line.rows; first += kTileRows) {
    const std::int64_t count = std::min(kTileRows, line.rows - first);
    for (std::int64_t i = 0; i < count; ++i) {
      results[i] = line.c + (first + i) * line.ldc + panel.first;
      for (std::int64_t tap = 0; tap < taps; ++tap)
        rows[static_cast<std::size_t>(tap * kTileRows + i)] = line.a[tap] + (first + i) * line.step;
    }
    gemm_tile<T>({count, rows.data(), results}, taps, depth, panel, packed, bias, Accumulate::no);
  }
}

}  // namespace

template <class T>
Panels<T>::Panels(std::int64_t n)
    : n_(n),
      vectors_(ceil_divide(n, lanes<T>())),
      count_(ceil_divide(vectors_, kernels_of<T>().max_vectors)) {}

template <class T>
std::int64_t Panels<T>::width() const {
  return vectors_ * lanes<T>();
}

template <class T>
Panel Panels<T>::operator[](std::int64_t p) const {
  const std::int64_t each = vectors_ / count_, wider = vectors_ % count_;
  const std::int64_t first = (p * each + std::min(p, wider)) * lanes<T>();
  const std::int64_t width = (each + (p < wider ? 1 : 0)) * lanes<T>();
  return {first, std::min(width, n_ - first), width};
}

template <class T>
void pack_panel(const Panel& panel, std::int64_t k, const MatrixView<T>& b, T* to) {
  if (b.transpose == Transpose::yes) {
    pack_transposed(panel, k, b, to);
  } else {
    for (std::int64_t i = 0; i < k; ++i)
      std::copy_n(b.data + i * b.stride + panel.first, panel.columns, to + i * panel.width);
  }
  if (panel.columns < panel.width)
    for (std::int64_t i = 0; i < k; ++i)
      std::fill_n(to + i * panel.width + panel.columns, panel.width - panel.columns, T(0));
}

template <class T>
void gemm_tile(const Tile<T>& tile, std::int64_t taps, std::int64_t depth, const Panel& panel,
               const T* packed, const T* bias, Accumulate accumulate) {
  if (taps * depth > 2 * kLong)
    return gemm_long_tile(tile, taps, depth, panel, packed, bias, accumulate);
  const micro::KernelsOf<T>& own = kernels_of<T>();
  const auto product = own.rows[tile.rows - 1][panel.width / own.lanes - 1];
  if (bias != nullptr) bias += panel.first;
  bool add = accumulate == Accumulate::yes;
  each_run(
      taps, depth, kRun,
      [&](std::int64_t tap, std::int64_t count, std::int64_t at, std::int64_t n) {
        const T* const from = packed + (tap * depth + at) * panel.width;
        if (at > 0)
          product(
              {TileRows<T>(tile, tap, at).rows, count, n, from, tile.c, panel.columns, bias, add});
        else
          product({tile.a + tap * kTileRows, count, n, from, tile.c, panel.columns, bias, add});
        add = true;
        bias = nullptr;
      });
}

template <class T>
void gemm_panel(std::int64_t m, std::int64_t k, const T* a, std::int64_t lda, const Panel& panel,
                const T* packed, T* c, std::int64_t ldc, const T* bias, Accumulate accumulate) {
  const std::int64_t tiles = ceil_divide(m, kTileRows);
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t first = m * tile / tiles, count = m * (tile + 1) / tiles - first;
    const T* rows[kTileRows];
    T* results[kTileRows];
    for (std::int64_t i = 0; i < count; ++i) {
      rows[i] = a + (first + i) * lda;
      results[i] = c + (first + i) * ldc + panel.first;
    }
    gemm_tile<T>({count, rows, results}, 1, k, panel, packed, bias, accumulate);
  }
}

template <class T>
void gemm_line(const Line<T>& line, std::int64_t taps, std::int64_t depth, const Panel& panel,
               const T* packed, const T* bias) {
  if (taps * depth > 2 * kLong) return gemm_long_line(line, taps, depth, panel, packed, bias);
  const micro::KernelsOf<T>& own = kernels_of<T>();
  const auto product = own.line[panel.width / own.lanes - 1];
  if (bias != nullptr) bias += panel.first;
  bool add = false;
  each_run(taps, depth, kRun,
           [&](std::int64_t tap, std::int64_t count, std::int64_t at, std::int64_t n) {
             const T* const further = line.a[tap] + at;
             product({at > 0 ? &further : line.a + tap, line.step, count, n,
                      packed + (tap * depth + at) * panel.width, line.c + panel.first, line.ldc,
                      line.rows, panel.columns, bias, add});
             add = true;
             bias = nullptr;
           });
}

template <class T>
std::int64_t max_patch_rows(std::int64_t panel_width) {
  const micro::KernelsOf<T>& own = kernels_of<T>();
  return micro::max_patch_rows(static_cast<int>(panel_width) / own.lanes, own.max_vectors);
}

template <class T>
void gemm_patch(const Lattice<T>& a, const Lattice<T>& b, std::int64_t lines, std::int64_t steps,
                const std::int64_t* offsets, std::int64_t m, std::int64_t width, T* sum,
                std::int64_t ld) {
  const micro::KernelsOf<T>& own = kernels_of<T>();
  const auto run = own.patch[m - 1][width / own.lanes - 1];
  each_run(
      lines, steps, kRun,
      [&](std::int64_t line, std::int64_t count, std::int64_t at, std::int64_t n) {
        run({a.data + line * a.line + at * a.step, a.line, a.step,
             b.data + line * b.line + at * b.step, b.line, b.step, count, n, offsets, sum, ld});
      });
}

template class Panels<float>;
template class Panels<double>;
template void pack_panel(const Panel&, std::int64_t, const MatrixView<float>&, float*);
template void pack_panel(const Panel&, std::int64_t, const MatrixView<double>&, double*);
template void gemm_tile(const Tile<float>&, std::int64_t, std::int64_t, const Panel&, const float*,
                        const float*, Accumulate);
template void gemm_tile(const Tile<double>&, std::int64_t, std::int64_t, const Panel&,
                        const double*, const double*, Accumulate);
template void gemm_panel(std::int64_t, std::int64_t, const float*, std::int64_t, const Panel&,
                         const float*, float*, std::int64_t, const float*, Accumulate);
template void gemm_panel(std::int64_t, std::int64_t, const double*, std::int64_t, const Panel&,
                         const double*, double*, std::int64_t, const double*, Accumulate);
template void gemm_line(const Line<float>&, std::int64_t, std::int64_t, const Panel&, const float*,
                        const float*);
template void gemm_line(const Line<double>&, std::int64_t, std::int64_t, const Panel&,
                        const double*, const double*);
template std::int64_t max_patch_rows<float>(std::int64_t);
template std::int64_t max_patch_rows<double>(std::int64_t);
template void gemm_patch(const Lattice<float>&, const Lattice<float>&, std::int64_t, std::int64_t,
                         const std::int64_t*, std::int64_t, std::int64_t, float*, std::int64_t);
template void gemm_patch(const Lattice<double>&, const Lattice<double>&, std::int64_t, std::int64_t,
                         const std::int64_t*, std::int64_t, std::int64_t, double*, std::int64_t);

}  // namespace pliant::cpu
