#include <pliant/cuda/runtime.h>

#include <algorithm>
#include <limits>

#include <pliant/core/device.h>
#include <pliant/core/memory.h>

namespace pliant {
namespace {

constexpr const char* kWho = "cuda";
constexpr int kDevice = 0;

struct Runtime {
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  cublasLtHandle_t blas = nullptr;
  void* blas_scratch = nullptr;

  Runtime() {
    require(cuda::device_count() > 0, "cuda: the driver finds no GPU");
    int has_pools = 0;
    cuda::check(cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, kDevice), kWho,
                "cudaDeviceGetAttribute");
    require(has_pools != 0, "cuda: this GPU or its driver has no memory pools (cudaMallocAsync)");
    cuda::check(cudaSetDevice(kDevice), kWho, "cudaSetDevice");
    cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), kWho,
                "cudaStreamCreateWithFlags");
    cuda::check(cudaDeviceGetDefaultMemPool(&pool, kDevice), kWho, "cudaDeviceGetDefaultMemPool");
    // What is released stays in the pool, for the next step's tensors.
    std::uint64_t keep = std::numeric_limits<std::uint64_t>::max();
    cuda::check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), kWho,
                "cudaMemPoolSetAttribute");
    cuda::check(cublasLtCreate(&blas), kWho, "cublasLtCreate");
    cuda::check(
        cudaMallocAsync(&blas_scratch, static_cast<std::size_t>(cuda::kBlasScratchBytes), stream),
        kWho, "cudaMallocAsync");
  }
};

Runtime& runtime() {
  static Runtime* const instance = new Runtime;  // NOLINT: lives as long as the process
  return *instance;
}

// A copy must wait for the host only where the host takes part.
bool on_device(const void* memory) {
  cudaPointerAttributes attributes{};
  cuda::check(cudaPointerGetAttributes(&attributes, memory), "copy", "cudaPointerGetAttributes");
  return attributes.type == cudaMemoryTypeDevice;
}

// Memory that is in use by nobody goes back to the driver, which may then piece together more.
void trim(const Runtime& r) {
  cuda::check(cudaStreamSynchronize(r.stream), "memory", "cudaStreamSynchronize");
  cuda::check(cudaMemPoolTrimTo(r.pool, 0), "memory", "cudaMemPoolTrimTo");
}

}  // namespace

void cuda::check(cudaError_t status, const char* op, const char* call) {
  require(status == cudaSuccess, op, ": ", call, " failed: ", cudaGetErrorString(status), " (",
          cudaGetErrorName(status), ")");
}

void cuda::check(cublasStatus_t status, const char* op, const char* call) {
  require(status == CUBLAS_STATUS_SUCCESS, op, ": ", call,
          " failed: ", cublasLtGetStatusString(status), " (", cublasLtGetStatusName(status), ")");
}

cudaStream_t cuda::stream() { return runtime().stream; }
cublasLtHandle_t cuda::blas() { return runtime().blas; }
void* cuda::blas_scratch() { return runtime().blas_scratch; }

// A machine without a driver is one without a GPU, not an error.
int cuda::device_count() {
  static const int count = [] {
    int found = 0;
    if (cudaGetDeviceCount(&found) != cudaSuccess) {
      cudaGetLastError();  // forget it
      found = 0;
    }
    return std::min(found, 1);
  }();
  return count;
}

void* cuda::allocate(std::int64_t bytes, int) {
  const Runtime& r = runtime();
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  void* memory = nullptr;
  cudaError_t status = cudaMallocAsync(&memory, size, r.stream);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    trim(r);
    status = cudaMallocAsync(&memory, size, r.stream);
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "memory", "cudaMemGetInfo");
    fail("memory: the GPU has no ", bytes, " bytes left (", free, " of ", total, " are free)");
  }
  check(status, "memory", "cudaMallocAsync");
  return memory;
}

// Destructors call this, so it does not throw: what is wrong with the GPU is said by the next call.
void cuda::release(void* memory, std::int64_t, int) { cudaFreeAsync(memory, runtime().stream); }

void cuda::copy(void* to, const void* from, std::int64_t bytes) {
  if (bytes == 0) return;
  const cudaStream_t queue = stream();
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, queue),
        "copy", "cudaMemcpyAsync");
  if (!on_device(to) || !on_device(from))
    check(cudaStreamSynchronize(queue), "copy", "cudaStreamSynchronize");
}

}  // namespace pliant
