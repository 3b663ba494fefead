// The CUDA runtime as the kernels see it: one GPU (the first that the driver shows; the variable
// CUDA_VISIBLE_DEVICES chooses), one stream on which everything happens in order, one cuBLASLt
// handle. All of it is made at first use and never destroyed, because tensors of static storage
// may be released after it.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include <pliant/core/error.h>
#include <pliant/cuda/stream.h>
#include <pliant/cuda/trace.h>

namespace pliant::cuda {

// Throws an Error that names the op, the call and what CUDA says, unless all is well.
void check(cudaError_t status, const char* op, const char* call);
void check(cublasStatus_t status, const char* op, const char* call);

// An Error about a kernel that could not be launched, by the function that it is written in.
[[noreturn]] void fail_launch(cudaError_t status, const char* op, const char* name);

template <class T>
void set_to_zero(const char* op, T* memory, std::int64_t n) {
  if (n <= 0) return;
  const Traced traced(op, "cudaMemsetAsync");
  check(cudaMemsetAsync(memory, 0, static_cast<std::size_t>(n) * sizeof(T), stream()), op,
        "cudaMemsetAsync");
}
// Gives the pool's memory that is in use by nobody back to the driver, which may then piece
// together more.
void trim_pool();

cublasLtHandle_t blas();
// Scratch memory for cuBLASLt; safe to share, because calls on one stream follow one another.
inline constexpr std::int64_t kBlasScratchBytes = std::int64_t{32} << 20;
void* blas_scratch();

}  // namespace pliant::cuda
