// The micro kernels for AVX2 and FMA (x86-64-v3); flags: cmake/compiler.cmake.
#include <pliant/core/gemm_micro.h>

namespace pliant::cpu {

const micro::Kernels micro::kAvx2Kernels = micro::all_kernels();

}  // namespace pliant::cpu
