// The micro kernels for any processor of its kind; flags: cmake/compiler.cmake.
#include <pliant/core/gemm_micro.h>

namespace pliant::cpu {

const micro::Kernels micro::kBaselineKernels = micro::all_kernels();

}  // namespace pliant::cpu
