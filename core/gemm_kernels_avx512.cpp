// The micro kernels for AVX-512 (x86-64-v4); flags: cmake/compiler.cmake.
#include <pliant/core/gemm_micro.h>

namespace pliant::cpu {

const micro::Kernels micro::kAvx512Kernels = micro::all_kernels();

}  // namespace pliant::cpu
