// How kernels are launched. There is one shape of launch: f(i) for every i in [0, n), each by one
// thread, so a kernel reads like the CPU's loop and no two threads ever meet. Functions capture
// pointers and geometry by value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <pliant/cuda/runtime.h>

namespace pliant::cuda {

inline constexpr int kThreads = 256;
inline constexpr std::int64_t kMaxBlocks = 1 << 16;  // more work is taken in strides of the grid

// The one place where kernels are launched, so many blocks of kThreads; `op` and `name`, the
// function that a kernel is written in, are for messages and the trace. Errors of earlier calls are
// not this kernel's, unless they have ended the context.
template <class... Parameters>
void launch_kernel(const char* op, const char* name, std::int64_t blocks,
                   void (*kernel)(Parameters...),
                   const std::type_identity_t<Parameters>&... arguments) {
  const Stream queue;
  const Traced traced(op, name);
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(std::min(kMaxBlocks, blocks)));
  config.blockDim = dim3(kThreads);
  config.stream = queue;
  if (const cudaError_t status = cudaLaunchKernelEx(&config, kernel, arguments...);
      status != cudaSuccess)
    fail_launch(status, op, name);
}

// Most threads take one element: unrolled, the loop would work out beforehand how many, by a
// division of 64 bits.
template <class F>
__global__ void __launch_bounds__(kThreads) run_each(std::int64_t n, F f) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
#pragma unroll 1
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += stride) f(i);
}

// Nothing happens where n is 0.
template <class F>
void each(const char* op, std::int64_t n, F f, const char* name = __builtin_FUNCTION()) {
  if (n <= 0) return;
  launch_kernel(op, name, (n + kThreads - 1) / kThreads, run_each<F>, n, f);
}

}  // namespace pliant::cuda
