// How kernels are launched. There is one shape of launch: f(i) for every i in [0, n), each by one
// thread, so a kernel reads like the CPU's loop and no two threads ever meet. Functions capture
// pointers and geometry by value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <pliant/cuda/runtime.h>

namespace pliant::cuda {

inline constexpr int kThreads = 256;
inline constexpr std::int64_t kMaxBlocks = 1 << 16;  // more work is taken in strides of the grid

template <class F>
__global__ void __launch_bounds__(kThreads) run_each(std::int64_t n, F f) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += stride) f(i);
}

// `op` is for messages; nothing happens where n is 0.
template <class F>
void each(const char* op, std::int64_t n, F f) {
  if (n <= 0) return;
  const std::int64_t blocks = std::min(kMaxBlocks, (n + kThreads - 1) / kThreads);
  run_each<<<static_cast<unsigned>(blocks), kThreads, 0, stream()>>>(n, f);
  if (const cudaError_t status = cudaGetLastError(); status != cudaSuccess)
    check(status, op, ("the launch of a kernel over " + std::to_string(n) + " elements").c_str());
}

}  // namespace pliant::cuda
