// A kernel is a value: a table of functions, one for each type of element that it serves. A
// contract (core/kernels) declares the CPU's and the GPU's, each defines its own where it computes,
//
//   extern const FloatKernel<Cumsum> cumsum;                                   // the contract
//   constinit const FloatKernel<Cumsum> cpu::cumsum{cumsum_all, cumsum_all};   // who computes
//
// and kernel() picks by device, without a registry:
//
//   kernel<Cumsum<T>, cpu::cumsum, cuda::cumsum>("cumsum", device)(geometry, x, y);
//
// In a CPU-only build the CUDA table is never referenced, so nothing needs to define it; in a CUDA
// build one that is missing is a link error that names it.
#pragma once

#include <cstdint>
#include <type_traits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/device.h>

namespace pliant {

template <class F>
struct KernelOf {
  F* function;
  // So that a table can be called: the arguments choose the function.
  constexpr operator F*() const { return function; }
};

// A table of functions of the types F.
template <class... F>
struct Kernel : KernelOf<F>... {
  constexpr explicit Kernel(F*... functions) : KernelOf<F>{functions}... {}
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // The function of type G; nullptr if the table has no place for it.
  template <class G>
  constexpr G* of() const {
    if constexpr (std::is_base_of_v<KernelOf<G>, Kernel>)
      return KernelOf<G>::function;
    else
      return nullptr;
  }
};

template <template <class> class Signature>
using FloatKernel = Kernel<Signature<float>, Signature<double>>;
template <template <class> class Signature>
using FloatingKernel = Kernel<Signature<float>, Signature<double>, Signature<BFloat16>>;
// Of what computes with integers too; the narrower ones are widened before.
template <template <class> class Signature>
using NumberKernel = Kernel<Signature<float>, Signature<double>, Signature<std::int64_t>>;
// Of what only moves elements.
template <template <class> class Signature>
using AnyKernel = Kernel<Signature<float>, Signature<double>, Signature<BFloat16>,
                         Signature<std::int64_t>, Signature<std::int32_t>, Signature<std::uint8_t>>;

// The function of type F for a device, or an Error that begins with the operation's name.
template <class F, const auto& on_cpu, const auto& on_cuda>
F* kernel(const char* op, Device device) {
  F* function = nullptr;
  if (device.is_cpu())
    function = on_cpu.template of<F>();
  else if constexpr (kHasCuda)
    function = on_cuda.template of<F>();
  else
    fail(op, ": this build has no CUDA");
  if (function == nullptr) fail(op, ": not available for this dtype on ", device);
  return function;
}

}  // namespace pliant
