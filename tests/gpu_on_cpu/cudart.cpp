// The CUDA runtime, as far as cuda/ calls it.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/tests/gpu_on_cpu/device.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) \
  (static_cast<void>(memory), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#endif

using pliant::gpu_on_cpu::Order;
using Work = std::function<void(Order)>;

// What CUDA declares and keeps to itself.
struct CUgraph_st {
  std::vector<Work> works;
};
struct CUgraphExec_st : CUgraph_st {};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};

namespace {

constexpr std::size_t kTotal = std::size_t{4} << 30;  // bytes of the device

struct Device {
  std::recursive_mutex mutex;
  std::map<const char*, std::size_t> memory;  // address and bytes
  std::size_t used = 0;
  bool recording = false;
  CUgraph_st recorded;
  Order order = Order::forwards;
  cudaError_t last = cudaSuccess;
};

Device& device() {
  static auto* const instance = new Device;
  return *instance;
}

cudaError_t say(cudaError_t status) {
  if (pliant::gpu_on_cpu::faults().is_lost) return cudaErrorIllegalAddress;
  if (status != cudaSuccess) device().last = status;
  return status;
}

bool on_device(const void* address) {
  const char* const at = static_cast<const char*>(address);
  const auto after = device().memory.upper_bound(at);
  if (after == device().memory.begin()) return false;
  const auto block = std::prev(after);
  return at < block->first + block->second;
}

// Device memory is closed to the host, of a large block the beginning.
std::size_t closed_part(std::size_t bytes) { return std::min<std::size_t>(bytes, 1 << 12); }
void close(const char* memory, std::size_t bytes) {
  ASAN_POISON_MEMORY_REGION(memory, closed_part(bytes));
}
void open(const char* memory, std::size_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(memory, closed_part(bytes));
}

// Opens it for as long as work is done on it.
struct Open {
  Open() {
    for (const auto& [memory, bytes] : device().memory) open(memory, bytes);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() {
    for (const auto& [memory, bytes] : device().memory) close(memory, bytes);
  }
};

void perform(const Work& work) {
  const Open open;
  work(device().order);
  device().order = device().order == Order::forwards ? Order::backwards : Order::forwards;
}

cudaError_t allocate(void** memory, std::size_t bytes) {
  const std::lock_guard lock(device().mutex);
  if (say(cudaSuccess) != cudaSuccess) return say(cudaSuccess);
  if (bytes > kTotal - device().used) return say(cudaErrorMemoryAllocation);
  // As aligned as the driver's.
  char* const made = static_cast<char*>(::operator new (bytes, std::align_val_t{256}));
  std::memset(made, 0xff, bytes);  // NaN, or -1
  close(made, bytes);
  device().memory[made] = bytes;
  device().used += bytes;
  *memory = made;
  return cudaSuccess;
}

cudaError_t release(void* memory) {
  const std::lock_guard lock(device().mutex);
  const auto found = device().memory.find(static_cast<const char*>(memory));
  if (found == device().memory.end()) return say(cudaErrorInvalidValue);
  open(found->first, found->second);
  device().used -= found->second;
  device().memory.erase(found);
  ::operator delete (memory, std::align_val_t{256});
  return cudaSuccess;
}

// Whether a word, which may be a number as well, is the address of a variable of the callers',
// which lie above `frame`, or of something on the heap.
bool is_of_host(std::uintptr_t word, const void* frame) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::uintptr_t kCallers = 1 << 16;
  if (word - reinterpret_cast<std::uintptr_t>(frame) < kCallers) return true;
  if (word >> 32 == 0 || word >> 47 != 0) return false;  // no address, and soon told
  void *const address = reinterpret_cast<void*>(word), *begin = nullptr;  // NOLINT
  std::size_t bytes = 0;
  return std::strcmp(__asan_locate_address(address, nullptr, 0, &begin, &bytes), "heap") == 0 &&
         !on_device(address);
#else
  return static_cast<void>(word), static_cast<void>(frame), false;
#endif
}

}  // namespace

pliant::gpu_on_cpu::Faults& pliant::gpu_on_cpu::faults() {
  static Faults of_the_device;
  return of_the_device;
}

cudaError_t pliant::gpu_on_cpu::launch(Work work) {
  const std::lock_guard lock(device().mutex);
  if (faults().is_lost) return cudaErrorIllegalAddress;
  if (device().recording)
    device().recorded.works.push_back(std::move(work));
  else
    perform(work);
  return cudaSuccess;
}

void pliant::gpu_on_cpu::check_words(const char* op, const void* closure, std::size_t bytes,
                                     const void* frame) {
  const std::lock_guard lock(device().mutex);
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= bytes; at += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, static_cast<const char*>(closure) + at, sizeof word);
    require(!is_of_host(word, frame), op,
            ": a kernel has caught the address of a variable on the host, at byte ", at, " of ",
            bytes);
  }
}

extern "C" {

// ---- device and errors ----

// With an old driver where that is asked for from without: a process asks once, and early.
cudaError_t cudaGetDeviceCount(int* count) {
  const bool is_old = std::getenv("GPU_ON_CPU_OLD_DRIVER") != nullptr;
  *count = is_old ? 0 : 1;
  return say(is_old ? cudaErrorInsufficientDriver : cudaSuccess);
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strncpy(properties->name, "the CPU in the place of a GPU", sizeof properties->name - 1);
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const cudaError_t last = device().last;
  device().last = cudaSuccess;
  return last;
}
const char* cudaGetErrorName(cudaError_t status) {
  return status == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
         : status == cudaErrorIllegalAddress ? "cudaErrorIllegalAddress"
                                             : "cudaError";
}
const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorMemoryAllocation           ? "out of memory"
         : status == cudaErrorIllegalAddress           ? "an illegal memory access"
         : status == cudaErrorInsufficientDriver       ? "the driver is too old"
         : status == cudaErrorStreamCaptureUnsupported ? "not while the stream records"
                                                       : "an error";
}

// ---- memory ----

cudaError_t cudaMalloc(void** memory, std::size_t bytes) { return allocate(memory, bytes); }
cudaError_t cudaFree(void* memory) { return release(memory); }
cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t) {
  constexpr std::size_t kSensible = std::size_t{1} << 45;  // of more, the driver may say this
  if (bytes > kSensible) return say(cudaErrorInvalidValue);
  if (device().recording) return say(cudaErrorStreamCaptureUnsupported);
  return allocate(memory, bytes);
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t) {
  if (device().recording) return say(cudaErrorStreamCaptureUnsupported);
  return release(memory);
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = kTotal;
  *free = kTotal - device().used;
  return say(cudaSuccess);
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = nullptr;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value) {
  *static_cast<std::uint64_t*>(value) = device().used;
  return cudaSuccess;
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return cudaSuccess; }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  const std::lock_guard lock(device().mutex);
  *attributes = {};
  attributes->type = on_device(address) ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
  const std::lock_guard lock(device().mutex);
  if (device().recording && !(on_device(to) && on_device(from)))
    return say(cudaErrorStreamCaptureUnsupported);
  return pliant::gpu_on_cpu::launch([=](Order) { std::memmove(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t) {
  if (!on_device(memory)) return say(cudaErrorInvalidValue);
  return pliant::gpu_on_cpu::launch([=](Order) { std::memset(memory, value, bytes); });
}

// ---- stream, graphs, events ----

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return say(device().recording ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  if (device().recording) return say(cudaErrorIllegalState);
  device().recording = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  if (!device().recording) return say(cudaErrorIllegalState);
  device().recording = false;
  *graph = new CUgraph_st(std::move(device().recorded));
  device().recorded = {};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new CUgraphExec_st{*graph};
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  const std::lock_guard lock(device().mutex);
  for (const Work& work : executable->works) perform(work);
  return say(cudaSuccess);
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return say(cudaSuccess); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

}  // extern "C"
