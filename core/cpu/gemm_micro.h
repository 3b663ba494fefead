// The micro kernels under every product of the CPU: a register tile of some rows (mostly six) by up
// to kMaxVectors vectors of columns, whose accumulators stay in registers over the whole sum.
#pragma once

#include <cstdint>

#include <pliant/core/cpu/gemm_kernels.h>
#include <pliant/core/cpu/micro_vectors.h>

namespace pliant::cpu::micro {

#if defined(__AVX512F__)
inline constexpr int kMaxVectors = 4;  // 6 x 4 accumulators of 32 registers
#else
inline constexpr int kMaxVectors = 2;  // 6 x 2 accumulators of 16 registers
#endif

template <int n>
inline constexpr unsigned long kExtent = n;  // of an array

// Stores an accumulated row; a row that ends inside a vector takes the way round a buffer.
template <class T, int NV, class Job>
inline void store_row(const Vector<T>* sum, T* c, const Job& job) {
  using V = Vector<T>;
  constexpr int lanes = kLanes<T>;
  if (job.columns == NV * lanes) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) {
      V value = sum[j];
      if (job.bias != nullptr) value += *reinterpret_cast<const V*>(job.bias + j * lanes);
      if (job.add) value += *reinterpret_cast<const V*>(c + j * lanes);
      *reinterpret_cast<V*>(c + j * lanes) = value;
    }
    return;
  }
  T buffer[kExtent<NV * lanes>];
#pragma GCC unroll 4
  for (int j = 0; j < NV; ++j) *reinterpret_cast<V*>(buffer + j * lanes) = sum[j];
  for (std::int64_t j = 0; j < job.columns; ++j) {
    T value = buffer[j];
    if (job.bias != nullptr) value += job.bias[j];
    c[j] = job.add ? value + c[j] : value;
  }
}

template <class T, int MR, int NV>
void rows_kernel(const RowsJob<T>& job) {
  using V = Vector<T>;
  constexpr int lanes = kLanes<T>;
  V sum[kExtent<MR>][kExtent<NV>] = {};
  const T* b = job.b;
  for (std::int64_t tap = 0; tap < job.taps; ++tap) {
    const T* a[kExtent<MR>];
#pragma GCC unroll 6
    for (int i = 0; i < MR; ++i) a[i] = job.a[tap * kMaxRows + i];
    for (std::int64_t d = 0; d < job.depth; ++d, b += NV * lanes) {
      V right[kExtent<NV>];
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) right[j] = *reinterpret_cast<const V*>(b + j * lanes);
#pragma GCC unroll 6
      for (int i = 0; i < MR; ++i) {
        const V left = a[i][d] - V{};  // becomes one broadcast from memory
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) sum[i][j] = fused(left, right[j], sum[i][j]);
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < MR; ++i) store_row<T, NV>(sum[i], job.c[i], job);
}

template <class T, int MR, int NV>
inline void line_tile(const LineJob<T>& job, std::int64_t first) {
  using V = Vector<T>;
  constexpr int lanes = kLanes<T>;
  V sum[kExtent<MR>][kExtent<NV>] = {};
  const T* b = job.b;
  for (std::int64_t tap = 0; tap < job.taps; ++tap) {
    const T* a[kExtent<MR>];
#pragma GCC unroll 6
    for (int i = 0; i < MR; ++i) a[i] = job.a[tap] + (first + i) * job.step;
    for (std::int64_t d = 0; d < job.depth; ++d, b += NV * lanes) {
      V right[kExtent<NV>];
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) right[j] = *reinterpret_cast<const V*>(b + j * lanes);
#pragma GCC unroll 6
      for (int i = 0; i < MR; ++i) {
        const V left = a[i][d] - V{};
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) sum[i][j] = fused(left, right[j], sum[i][j]);
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < MR; ++i) store_row<T, NV>(sum[i], job.c + (first + i) * job.ldc, job);
}

template <class T, int NV>
void line_kernel(const LineJob<T>& job) {
  std::int64_t row = 0;
  for (; row + 6 <= job.rows; row += 6) line_tile<T, 6, NV>(job, row);
  switch (job.rows - row) {
    case 5:
      return line_tile<T, 5, NV>(job, row);
    case 4:
      return line_tile<T, 4, NV>(job, row);
    case 3:
      return line_tile<T, 3, NV>(job, row);
    case 2:
      return line_tile<T, 2, NV>(job, row);
    case 1:
      return line_tile<T, 1, NV>(job, row);
  }
}

template <class T, int MR, int NV>
void patch_kernel(const PatchJob<T>& job) {
  using V = Vector<T>;
  constexpr int lanes = kLanes<T>;
  V sum[kExtent<MR>][kExtent<NV>] = {};
  std::int64_t offset[kExtent<MR>];
  for (int i = 0; i < MR; ++i) offset[i] = job.offsets[i];
  const T* a = job.a;
  const T* b = job.b;
  const std::int64_t a_skip = job.a_line - job.steps * job.a_step;
  const std::int64_t b_skip = job.b_line - job.steps * job.b_step;
  std::int64_t left_in_line = job.steps;
  // One loop, not two: across an outer loop compilers move the accumulators about.
  for (std::int64_t left = job.lines * job.steps; left > 0; --left) {
    V right[kExtent<NV>];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) right[j] = *reinterpret_cast<const V*>(b + j * lanes);
#pragma GCC unroll 12
    for (int i = 0; i < MR; ++i) {
      const V value = a[offset[i]] - V{};
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) sum[i][j] = fused(value, right[j], sum[i][j]);
    }
    a += job.a_step;
    b += job.b_step;
    if (--left_in_line == 0) {
      left_in_line = job.steps;
      a += a_skip;
      b += b_skip;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j)
      *reinterpret_cast<V*>(job.c + i * job.ldc + j * lanes) += sum[i][j];
}

// The kernels of T, all that fit into the registers.
template <class T, int MR, int NV>
constexpr void fill_kernels(KernelsOf<T>& kernels) {
  if constexpr (MR <= kMaxRows) kernels.rows[MR - 1][NV - 1] = rows_kernel<T, MR, NV>;
  if constexpr (MR <= max_patch_rows(NV, kMaxVectors))
    kernels.patch[MR - 1][NV - 1] = patch_kernel<T, MR, NV>;
  if constexpr (MR == 1) kernels.line[NV - 1] = line_kernel<T, NV>;
  if constexpr (NV > 1)
    fill_kernels<T, MR, NV - 1>(kernels);
  else if constexpr (MR > 1)
    fill_kernels<T, MR - 1, kMaxVectors>(kernels);
}

constexpr Kernels all_kernels() {
  Kernels kernels{{kLanes<float>, kMaxVectors}, {kLanes<double>, kMaxVectors}};
  fill_kernels<float, kMaxPatchRows, kMaxVectors>(kernels.float32);
  fill_kernels<double, kMaxPatchRows, kMaxVectors>(kernels.float64);
  return kernels;
}

}  // namespace pliant::cpu::micro
