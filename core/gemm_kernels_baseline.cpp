// The micro kernels for any processor of its kind; CMakeLists.txt compiles this file for that
// alone.
#include <pliant/core/gemm_micro.h>

namespace pliant::cpu {

const micro::Kernels micro::kBaselineKernels = micro::all_kernels();

}  // namespace pliant::cpu
