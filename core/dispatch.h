// From a device to the kernel that serves it, without a registry.
//
//   kernel<ReluForward<T>, cpu::relu_forward, cuda::relu_forward>("relu", device)(n, x, y);
//
// In a CPU-only build the CUDA function is never referenced, so nothing needs to define it; in a
// CUDA build a kernel that is missing is a link error that names it. nullptr stands for a type
// that a backend does not serve.
#pragma once

#include <pliant/core/device.h>

namespace pliant {

template <class F, F* on_cpu, F* on_cuda>
F* kernel(const char* op, Device device) {
  if (device.is_cpu()) {
    if constexpr (on_cpu != nullptr) return on_cpu;
    fail(op, ": not available for this dtype on ", device);
  }
  if constexpr (kHasCuda) {
    if constexpr (on_cuda != nullptr) return on_cuda;
    fail(op, ": not available for this dtype on ", device);
  }
  fail(op, ": this build has no CUDA");
}

}  // namespace pliant
