// In the place of cuda/launch.cuh.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <pliant/core/parallel.h>
#include <pliant/cuda/runtime.h>
#include <pliant/tests/gpu_on_cpu/device.h>

namespace pliant::cuda {

inline constexpr int kThreads = 256;

// f(i) for every i in [0, n).
template <class F>
void run_in(gpu_on_cpu::Order order, std::int64_t n, const F& f) {
  parallel_blocks(n, kThreads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      f(order == gpu_on_cpu::Order::forwards ? i : n - 1 - i);
  });
}

inline void launch_kernel(const char* op, const char* name,
                          std::function<void(gpu_on_cpu::Order)> work) {
  const Stream queue;
  const Traced traced(op, name);
  if (const cudaError_t status = gpu_on_cpu::launch(std::move(work)); status != cudaSuccess)
    fail_launch(status, op, name);
}

template <class F>
void each(const char* op, std::int64_t n, F f, const char* name = __builtin_FUNCTION()) {
  if (n <= 0) return;
  gpu_on_cpu::check_kernel(op, f);
  launch_kernel(op, name, [=](gpu_on_cpu::Order order) { run_in(order, n, f); });
}

}  // namespace pliant::cuda
