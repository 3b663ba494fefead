#include <pliant/cuda/runtime.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <string>

#include <pliant/core/device.h>
#include <pliant/core/memory.h>
#include <pliant/cuda/arena.h>

namespace pliant {
namespace {

constexpr const char* kWho = "cuda";
constexpr int kDevice = 0;  // every thread's current device, unless it chooses another

struct Runtime {
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  cublasLtHandle_t blas = nullptr;
  void* blas_scratch = nullptr;

  Runtime() {
    require(cuda::device_count() > 0, "cuda: there is no GPU", cuda::why_no_device());
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

struct Found {
  cudaError_t status = cudaSuccess;
  int count = 0;
};
const Found& found() {
  static const Found once = [] {
    Found now;
    now.status = cudaGetDeviceCount(&now.count);
    if (now.status != cudaSuccess) {
      cudaGetLastError();  // forget it
      now.count = 0;
    }
    now.count = std::min(now.count, 1);
    return now;
  }();
  return once;
}

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

bool is_too_much(cudaError_t status, std::size_t bytes) {
  if (status == cudaErrorMemoryAllocation) return true;
  std::size_t free = 0, total = 0;  // of more than there could ever be, the driver may say this
  return status == cudaErrorInvalidValue && cudaMemGetInfo(&free, &total) == cudaSuccess &&
         bytes > total;
}

// Null if the GPU has no more, also after the pool has given back what nobody uses.
void* pool_allocate(std::size_t bytes, cudaStream_t queue) {
  void* memory = nullptr;
  cudaError_t status = cudaMallocAsync(&memory, bytes, queue);
  if (is_too_much(status, bytes)) {
    cudaGetLastError();
    cuda::trim_pool();
    status = cudaMallocAsync(&memory, bytes, queue);
  }
  if (is_too_much(status, bytes)) {
    cudaGetLastError();  // forget it: who catches the Error may go on
    return nullptr;
  }
  cuda::check(status, kMemory, "cudaMallocAsync");
  return memory;
}

// PLIANT_GPU_POISON: for tests, memory that nobody has filled holds NaN, or -1.
bool poisons() {
  static const bool asked = std::getenv("PLIANT_GPU_POISON") != nullptr;
  return asked;
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

void cuda::fail_launch(cudaError_t status, const char* op, const char* name) {
  cudaGetLastError();  // said here
  check(status, op, ("the launch of a kernel of " + std::string(name)).c_str());
  fail(op, ": a launch that failed and succeeded");
}

std::recursive_timed_mutex& cuda::stream_turns() {
  static auto* const turns = new std::recursive_timed_mutex;  // NOLINT: as long-lived as the stream
  return *turns;
}

cuda::Stream::Stream() : queue_(runtime().stream), turn_(stream_turns(), std::defer_lock) {
  constexpr std::chrono::seconds kPatience(10);
  require(turn_.try_lock_for(kPatience), "cuda: another thread has recorded a step for ",
          kPatience.count(),
          " s, in which no other may use the GPU; a captured step must not wait for a thread that "
          "does");
}

cublasLtHandle_t cuda::blas() { return runtime().blas; }
void* cuda::blas_scratch() { return runtime().blas_scratch; }

void cuda::trim_pool() {
  check(cudaStreamSynchronize(stream()), kMemory, "cudaStreamSynchronize");
  check(cudaMemPoolTrimTo(runtime().pool, 0), kMemory, "cudaMemPoolTrimTo");
}

// A machine without a driver is one without a GPU, not an error.
int cuda::device_count() { return found().count; }

std::string cuda::why_no_device() {
  const cudaError_t status = found().status;
  return status == cudaSuccess ? ""
                               : std::string("; the driver says: ") + cudaGetErrorString(status);
}

void* cuda::allocate(std::int64_t bytes, int) {
  const Stream queue;
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  void* const memory = is_recording() ? arena_allocate(bytes) : pool_allocate(size, queue);
  if (memory == nullptr) fail_out_of_memory(runtime(), bytes);
  if (poisons()) check(cudaMemsetAsync(memory, 0xff, size, queue), kMemory, "cudaMemsetAsync");
  return memory;
}

// Destructors call this, so it does not throw: what has ended the context is said by the next call,
// and anything else must not be taken for that call's own.
void cuda::release(void* memory, std::int64_t, int) {
  if (arena_release(memory)) return;
  if (cudaFreeAsync(memory, runtime().stream) != cudaSuccess) cudaGetLastError();
}

void cuda::copy(void* to, const void* from, std::int64_t bytes) {
  if (bytes == 0) return;
  const Stream queue;
  const Traced traced("copy", "cudaMemcpyAsync");
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
