#include <pliant/core/cpu/gemm.h>

#include <algorithm>

#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/eigen.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {
namespace {

constexpr std::int64_t kPackRows = 256;  // rows of B that one task packs

// Any of the four transpositions, without packing by the caller: Eigen's.
template <class T>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b,
              T* c, std::int64_t ldc, Accumulate accumulate) {
  using Strided = Eigen::Map<const RowMajorMatrix<T>, 0, Eigen::OuterStride<>>;
  Eigen::Map<RowMajorMatrix<T>, 0, Eigen::OuterStride<>> out(c, m, n, Eigen::OuterStride<>(ldc));
  const auto view = [](MatrixView<T> v, std::int64_t rows, std::int64_t columns) {
    if (v.transpose == Transpose::yes) std::swap(rows, columns);
    return Strided(v.data, rows, columns, Eigen::OuterStride<>(v.stride));
  };
  if (accumulate == Accumulate::no) out.setZero();
  const Strided left = view(a, m, k), right = view(b, k, n);
  if (a.transpose == Transpose::no && b.transpose == Transpose::no)
    out.noalias() += left * right;
  else if (a.transpose == Transpose::no)
    out.noalias() += left * right.transpose();
  else if (b.transpose == Transpose::no)
    out.noalias() += left.transpose() * right;
  else
    out.noalias() += left.transpose() * right.transpose();
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<float> a, MatrixView<float> b,
          float* c, std::int64_t ldc, Accumulate accumulate) {
  multiply(m, n, k, a, b, c, ldc, accumulate);
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<double> a,
          MatrixView<double> b, double* c, std::int64_t ldc, Accumulate accumulate) {
  multiply(m, n, k, a, b, c, ldc, accumulate);
}

template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  return k * Panels<T>(n).width();
}

template <class T>
PackedMatrix<T> pack(std::int64_t k, std::int64_t n, MatrixView<T> b, T* memory) {
  const Panels<T> panels(n);
  const std::int64_t blocks = (k + kPackRows - 1) / kPackRows;
  parallel_for(panels.count() * blocks, [&](std::int64_t task) {
    const Panel panel = panels[task / blocks];
    const std::int64_t first = task % blocks * kPackRows;
    MatrixView<T> part = b;
    part.data += b.transpose == Transpose::yes ? first : first * b.stride;
    pack_panel(panel, std::min(kPackRows, k - first), part,
               memory + k * panel.first + first * panel.width);
  });
  return {memory, k, n};
}

template <class T>
void gemm(std::int64_t m, const T* a, std::int64_t lda, const PackedMatrix<T>& b, T* c,
          std::int64_t ldc, const T* bias, Accumulate accumulate) {
  const Panels<T> panels(b.n);
  for (std::int64_t p = 0; p < panels.count(); ++p)
    gemm_panel(m, b.k, a, lda, panels[p], b.data + b.k * panels[p].first, c, ldc, bias, accumulate);
}

template <class T>
void gemm(std::int64_t m, const T* const* rows, const PackedMatrix<T>& b, T* c, std::int64_t ldc,
          const T* bias, Accumulate accumulate) {
  const Panels<T> panels(b.n);
  for (std::int64_t p = 0; p < panels.count(); ++p)
    for (std::int64_t first = 0; first < m; first += kTileRows) {
      T* results[kTileRows];
      const std::int64_t count = std::min(kTileRows, m - first);
      for (std::int64_t i = 0; i < count; ++i) results[i] = c + (first + i) * ldc + panels[p].first;
      gemm_tile<T>({count, rows + first, results}, 1, b.k, panels[p],
                   b.data + b.k * panels[p].first, bias, accumulate);
    }
}

template <class T>
void gemm_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                     const T* b, std::int64_t ldb, T* c, std::int64_t ldc) {
  constexpr std::int64_t kRows = 64;  // of B at a time: a panel of them stays in the first cache
  constexpr std::int64_t kManyRows = 128;  // of C: they pay for laying a panel's rows side by side
  constexpr std::int64_t kOffsets[kMaxPatchRows] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  if (m == 0) return;
  const Panels<T> panels(n);
  alignas(kAlignment) T packed[kRows * kMaxPanelWidth], sum[kMaxPatchRows * kMaxPanelWidth];
  for (std::int64_t begin = 0; begin < k; begin += kRows) {
    const std::int64_t rows = std::min(kRows, k - begin);
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      const Panel panel = panels[p];
      Lattice<T> right{b + begin * ldb + panel.first, 0, ldb};
      if (m >= kManyRows || panel.columns < panel.width) {
        pack_panel(panel, rows, MatrixView<T>{b + begin * ldb, ldb}, packed);
        right = {packed, 0, panel.width};
      }
      const std::int64_t tiles = (m - 1) / max_patch_rows<T>(panel.width) + 1;
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const std::int64_t first = m * tile / tiles, count = m * (tile + 1) / tiles - first;
        const Lattice<T> left{a + begin * lda + first, 0, lda};
        T* const to = c + first * ldc + panel.first;
        if (panel.columns == panel.width) {
          gemm_patch(left, right, 1, rows, kOffsets, count, panel.width, to, ldc);
          continue;
        }
        std::fill_n(sum, count * panel.width, T(0));
        gemm_patch(left, right, 1, rows, kOffsets, count, panel.width, sum, panel.width);
        for (std::int64_t i = 0; i < count; ++i)
          for (std::int64_t j = 0; j < panel.columns; ++j)
            to[i * ldc + j] += sum[i * panel.width + j];
      }
    }
  }
}

template std::int64_t packed_size<float>(std::int64_t, std::int64_t);
template std::int64_t packed_size<double>(std::int64_t, std::int64_t);
template PackedMatrix<float> pack(std::int64_t, std::int64_t, MatrixView<float>, float*);
template PackedMatrix<double> pack(std::int64_t, std::int64_t, MatrixView<double>, double*);
template void gemm(std::int64_t, const float*, std::int64_t, const PackedMatrix<float>&, float*,
                   std::int64_t, const float*, Accumulate);
template void gemm(std::int64_t, const double*, std::int64_t, const PackedMatrix<double>&, double*,
                   std::int64_t, const double*, Accumulate);
template void gemm(std::int64_t, const float* const*, const PackedMatrix<float>&, float*,
                   std::int64_t, const float*, Accumulate);
template void gemm(std::int64_t, const double* const*, const PackedMatrix<double>&, double*,
                   std::int64_t, const double*, Accumulate);
template void gemm_transposed(std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                              const float*, std::int64_t, float*, std::int64_t);
template void gemm_transposed(std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                              const double*, std::int64_t, double*, std::int64_t);

}  // namespace pliant::cpu
