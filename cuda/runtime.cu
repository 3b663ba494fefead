#include <pliant/cuda/runtime.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include <pliant/core/device.h>
#include <pliant/core/memory.h>
#include <pliant/cuda/arena.h>

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

constexpr const char* kMemory = "memory";

std::uint64_t of_pool(const Runtime& r, cudaMemPoolAttr what) {
  std::uint64_t value = 0;
  cuda::check(cudaMemPoolGetAttribute(r.pool, what, &value), kMemory, "cudaMemPoolGetAttribute");
  return value;
}

[[noreturn]] void fail_out_of_memory(const Runtime& r, std::int64_t bytes) {
  std::size_t free = 0, total = 0;
  cuda::check(cudaMemGetInfo(&free, &total), kMemory, "cudaMemGetInfo");
  fail("memory: the GPU has no ", bytes, " bytes left: tensors hold ",
       of_pool(r, cudaMemPoolAttrUsedMemCurrent), ", the pool ",
       of_pool(r, cudaMemPoolAttrReservedMemCurrent), ", and ", free, " of ", total,
       " are free; a smaller batch needs less");
}

std::atomic<std::int64_t>& copy_count() {
  static std::atomic<std::int64_t> count{0};
  return count;
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

void cuda::trim_pool() {
  check(cudaStreamSynchronize(stream()), kMemory, "cudaStreamSynchronize");
  check(cudaMemPoolTrimTo(runtime().pool, 0), kMemory, "cudaMemPoolTrimTo");
}

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
  if (is_recording()) {
    void* const memory = arena_allocate(bytes);
    if (memory == nullptr) fail_out_of_memory(r, bytes);
    return memory;
  }
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  void* memory = nullptr;
  cudaError_t status = cudaMallocAsync(&memory, size, r.stream);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    trim_pool();
    status = cudaMallocAsync(&memory, size, r.stream);
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // forget it: who catches the Error may go on
    fail_out_of_memory(r, bytes);
  }
  check(status, kMemory, "cudaMallocAsync");
  return memory;
}

// Destructors call this, so it does not throw: what is wrong with the GPU is said by the next call.
void cuda::release(void* memory, std::int64_t, int) {
  if (!arena_release(memory)) cudaFreeAsync(memory, runtime().stream);
}

void cuda::copy(void* to, const void* from, std::int64_t bytes) {
  if (bytes == 0) return;
  const cudaStream_t queue = stream();
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, queue),
        "copy", "cudaMemcpyAsync");
  if (!on_device(to) || !on_device(from)) {
    ++copy_count();
    check(cudaStreamSynchronize(queue), "copy",
          "cudaStreamSynchronize, where faults of kernels queued before show,");
  }
}

std::int64_t cuda::host_copies() { return copy_count(); }

}  // namespace pliant
