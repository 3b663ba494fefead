#include <pliant/core/kernels/matmul.h>

#include <algorithm>

#include <pliant/core/gemm.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kRows = 64;  // rows of y that one task owns

template <class T>
void multiply(const MatmulGeometry& g, const T* a, const T* b, const T* bias, T* y) {
  if (g.m == 0 || g.n == 0) return;
  const std::int64_t tiles = (g.m + kRows - 1) / kRows;
  parallel_for(g.batch * tiles, [&](std::int64_t task) {
    const std::int64_t batch = task / tiles, first = task % tiles * kRows;
    const std::int64_t rows = std::min(kRows, g.m - first);
    const bool flipped = g.transpose_a == Transpose::yes;
    const T* const left = a + batch * g.m * g.k + (flipped ? first : first * g.k);
    const T* const right = b + (g.b == Sharing::shared ? 0 : batch * g.k * g.n);
    T* const out = y + (batch * g.m + first) * g.n;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < g.n; ++j) out[i * g.n + j] = bias == nullptr ? T(0) : bias[j];
    if (g.k == 0) return;
    cpu::gemm(rows, g.n, g.k, {left, flipped ? g.m : g.k, g.transpose_a},
              {right, g.transpose_b == Transpose::yes ? g.k : g.n, g.transpose_b}, out, g.n,
              cpu::Accumulate::yes);
  });
}

}  // namespace

void cpu::matmul(const MatmulGeometry& g, const float* a, const float* b, const float* bias,
                 float* y, Workspace&) {
  multiply(g, a, b, bias, y);
}

void cpu::matmul(const MatmulGeometry& g, const double* a, const double* b, const double* bias,
                 double* y, Workspace&) {
  multiply(g, a, b, bias, y);
}

}  // namespace pliant
