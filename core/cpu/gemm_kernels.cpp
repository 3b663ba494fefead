#include <pliant/core/cpu/gemm_micro.h>

namespace pliant::cpu {

const micro::Kernels micro::kKernels = micro::all_kernels();

}  // namespace pliant::cpu
