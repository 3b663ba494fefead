#include <pliant/core/gemm_tiles.h>

#include <algorithm>
#include <type_traits>

#include <pliant/core/gemm_kernels.h>

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
  const micro::KernelsOf<T>& own = kernels_of<T>();
  own.rows[tile.rows - 1][panel.width / own.lanes - 1](
      {tile.a, taps, depth, packed, tile.c, panel.columns,
       bias == nullptr ? nullptr : bias + panel.first, accumulate == Accumulate::yes});
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
  const micro::KernelsOf<T>& own = kernels_of<T>();
  own.line[panel.width / own.lanes - 1]({line.a, line.step, taps, depth, packed,
                                         line.c + panel.first, line.ldc, line.rows, panel.columns,
                                         bias == nullptr ? nullptr : bias + panel.first, false});
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
  own.patch[m - 1][width / own.lanes - 1](
      {a.data, a.line, a.step, b.data, b.line, b.step, lines, steps, offsets, sum, ld});
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
