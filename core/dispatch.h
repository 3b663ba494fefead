// From a device to the kernel that serves it, without a registry.
//
//   kernel<ReluForward<T>, cpu::relu_forward, cuda::relu_forward>("relu", device)(n, x, y);
//
// In a CPU-only build the CUDA function is never referenced, so nothing needs to define it; in a
// CUDA build a kernel that is missing is a link error that names it. nullptr stands for a type
// that a backend does not serve.
#pragma once

#include <type_traits>

#include <pliant/core/device.h>

namespace pliant {

// Whether a backend's argument of kernel() is a function. Told by type, because g++ does not take
// `function != nullptr` for a constant under -fsanitize=undefined.
template <class F, F* function>
inline constexpr bool is_served =
    !std::is_same_v<std::integral_constant<F*, function>, std::integral_constant<F*, nullptr>>;

template <class F, F* on_cpu, F* on_cuda>
F* kernel(const char* op, Device device) {
  if (device.is_cpu()) {
    if constexpr (is_served<F, on_cpu>) return on_cpu;
    fail(op, ": not available for this dtype on ", device);
  }
  if constexpr (kHasCuda) {
    if constexpr (is_served<F, on_cuda>) return on_cuda;
    fail(op, ": not available for this dtype on ", device);
  }
  fail(op, ": this build has no CUDA");
}

}  // namespace pliant
