#include <pliant/core/kernels/matmul.h>

#include <algorithm>

#include <pliant/core/cpu/gemm.h>
#include <pliant/core/cpu/gemm_tiles.h>
#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/cpu/tap_batch.h>
#include <pliant/core/kernels/unary.h>
#include <pliant/core/kernels/widening.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

using namespace cpu;

constexpr std::int64_t kRows = 64;  // rows of y that one task owns
constexpr std::int64_t kTransposedRows = 4 * kTileRows;
constexpr std::int64_t kTransposedColumns = kMaxPanelWidth;
constexpr std::int64_t kTasksWanted = 32;
constexpr std::int64_t kTasksOfMany = 128;    // of a batch of small matrices
constexpr std::int64_t kMinPartLength = 512;  // of k

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Where matrix `index` of an operand starts, one taking `size` elements.
template <class T>
const T* matrix(const T* data, Sharing sharing, std::int64_t index, std::int64_t size) {
  return sharing == Sharing::shared ? data : data + index * size;
}

// Matrix `index` of b as memory has it.
template <class T>
MatrixView<T> right_view(const MatmulGeometry& g, const T* b, std::int64_t index) {
  return {matrix(b, g.b, index, g.k * g.n), g.transpose_b == Transpose::yes ? g.k : g.n,
          g.transpose_b};
}

// y = a op(b) + bias with b in panels; a is [batch m k]. A task owns some rows of one panel.
template <class T>
void multiply_packed(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y,
                     Workspace& workspace) {
  const std::int64_t matrices = g.b == Sharing::shared ? 1 : g.batch;
  const std::int64_t packed = packed_size<T>(g.k, g.n);
  T* const memory = workspace.take<T>(matrices * packed);
  for (std::int64_t i = 0; i < matrices; ++i)
    pack(g.k, g.n, right_view(g, b, i), memory + i * packed);
  const Panels<T> panels(g.n);
  const std::int64_t tiles = ceil_divide(g.m, kRows);
  parallel_for(g.batch * panels.count() * tiles, [&](std::int64_t task) {
    const std::int64_t batch = task / tiles / panels.count(), first = task % tiles * kRows;
    const Panel panel = panels[task / tiles % panels.count()];
    gemm_panel(std::min(kRows, g.m - first), g.k, matrix(a, g.a, batch, g.m * g.k) + first * g.k,
               g.k, panel, matrix<T>(memory, g.b, batch, packed) + g.k * panel.first,
               y + (batch * g.m + first) * g.n, g.n, bias);
  });
}

// The same for many matrices: a task owns some of them and packs one panel of b after the other.
template <class T>
void multiply_each(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y,
                   Workspace& workspace) {
  const Panels<T> panels(g.n);
  const PerThread<T> memory(g.k * kMaxPanelWidth, workspace);
  const auto product = [&](std::int64_t index) {
    T* const packed = memory.of();
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      pack_panel(panels[p], g.k, right_view(g, b, index), packed);
      gemm_panel(g.m, g.k, matrix(a, g.a, index, g.m * g.k), g.k, panels[p], packed,
                 y + index * g.m * g.n, g.n, bias);
    }
  };
  parallel_blocks(g.batch, ceil_divide(g.batch, kTasksOfMany),
                  [&](std::int64_t index, std::int64_t last) {
                    for (; index < last; ++index) product(index);
                  });
}

// to [count][width], `step` apart, += a^T b of `k` rows: long sums by blocks, in double.
template <class T>
void add_product(std::int64_t count, std::int64_t width, std::int64_t k, const T* a,
                 std::int64_t lda, const T* b, std::int64_t ldb, T* to, std::int64_t step) {
  constexpr std::int64_t kBlock = 2048;
  if (k <= 2 * kBlock) return gemm_transposed(count, width, k, a, lda, b, ldb, to, step);
  T part[kTransposedRows * kTransposedColumns];
  double sum[kTransposedRows * kTransposedColumns] = {};
  for (std::int64_t at = 0; at < k; at += kBlock) {
    std::fill_n(part, count * width, T(0));
    gemm_transposed(count, width, std::min(kBlock, k - at), a + at * lda, lda, b + at * ldb, ldb,
                    part, width);
    for (std::int64_t i = 0; i < count * width; ++i) sum[i] += static_cast<double>(part[i]);
  }
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < width; ++j)
      to[i * step + j] = static_cast<T>(static_cast<double>(to[i * step + j]) + sum[i * width + j]);
}

// y = a^T b + bias, both read in place. A task owns a block of y, or of a partial sum of it.
template <class T>
void multiply_transposed(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y,
                         Workspace& workspace) {
  const std::int64_t size = g.batch * g.m * g.n;
  const std::int64_t rows = ceil_divide(g.m, kTransposedRows),
                     columns = ceil_divide(g.n, kTransposedColumns),
                     blocks = g.batch * rows * columns;
  const std::int64_t parts = std::clamp<std::int64_t>(
      std::min(g.k / kMinPartLength, kTasksWanted / blocks), 1, kMostPartials);
  T* const partial = parts == 1 ? y : workspace.take<T>(parts * size);
  parallel_for(parts * blocks, [&](std::int64_t task) {
    const std::int64_t part = task / blocks, batch = task % blocks / (rows * columns);
    const std::int64_t i = task % rows, j = task / rows % columns * kTransposedColumns;
    const std::int64_t first = g.m * i / rows, count = g.m * (i + 1) / rows - first;
    const std::int64_t width = std::min(kTransposedColumns, g.n - j);
    const std::int64_t begin = g.k * part / parts, end = g.k * (part + 1) / parts;
    T* const to = partial + part * size + (batch * g.m + first) * g.n + j;
    for (std::int64_t row = 0; row < count; ++row)
      for (std::int64_t column = 0; column < width; ++column)
        to[row * g.n + column] = part > 0 || bias == nullptr ? T(0) : bias[j + column];
    add_product(count, width, end - begin, matrix(a, g.a, batch, g.k * g.m) + begin * g.m + first,
                g.m, matrix(b, g.b, batch, g.k * g.n) + begin * g.n + j, g.n, to, g.n);
  });
  if (parts > 1) sum_partials(parts, size, partial, y);
}

// a [batch k m] as [batch m k]: only for the rare product of two transposed matrices.
template <class T>
const T* flipped(const MatmulGeometry& g, const T* a, Workspace& workspace) {
  const std::int64_t rows = (g.a == Sharing::shared ? 1 : g.batch) * g.m;
  T* const copy = workspace.take<T>(rows * g.k);
  parallel_for(rows, [&](std::int64_t row) {
    const T* const from = a + row / g.m * g.k * g.m + row % g.m;
    for (std::int64_t i = 0; i < g.k; ++i) copy[row * g.k + i] = from[i * g.m];
  });
  return copy;
}

// The product over no k at all, whose operands may be null.
template <class T>
void multiply_nothing(const MatmulGeometry& g, const T* bias, T* y) {
  for (std::int64_t row = 0; row < g.batch * g.m; ++row)
    for (std::int64_t j = 0; j < g.n; ++j) y[row * g.n + j] = bias == nullptr ? T(0) : bias[j];
}

template <class T>
void multiply(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y,
              Workspace& workspace) {
  if (g.k == 0) return multiply_nothing(g, bias, y);
  if (g.transpose_a == Transpose::yes && g.transpose_b == Transpose::no)
    return multiply_transposed(g, a, b, bias, y, workspace);
  if (g.transpose_a == Transpose::yes) a = flipped(g, a, workspace);
  if (g.b == Sharing::per_batch && g.batch >= kTasksWanted)
    multiply_each(g, a, b, bias, y, workspace);
  else
    multiply_packed(g, a, b, bias, y, workspace);
}

template <class T>
void product(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y,
             Workspace& workspace) {
  const std::int64_t size = g.batch * g.m * g.n;
  if (size == 0) return;
  multiply(g, a, b, bias, y, workspace);
  if (g.activation == Activation::none) return;
  parallel_blocks(size, 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = unary::Relu<T>().value(y[i]);
  });
}

void widened_product(const MatmulGeometry& g, const BFloat16* a, const BFloat16* b,
                     const BFloat16* bias, BFloat16* y, Workspace& workspace) {
  using cpu::Widening;
  const auto count = [&](Sharing sharing) { return sharing == Sharing::shared ? 1 : g.batch; };
  Widening::rounded(y, g.batch * g.m * g.n, workspace, [&](float* wide) {
    product(g, Widening::widened(a, count(g.a) * g.m * g.k, workspace),
            Widening::widened(b, count(g.b) * g.k * g.n, workspace),
            Widening::widened(bias, g.n, workspace), wide, workspace);
  });
}

}  // namespace

constinit FloatingKernel<Matmul> cpu::matmul{product, product, widened_product};

}  // namespace pliant
