#include <pliant/core/memory.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include <pliant/core/capture.h>

namespace pliant {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPool = false;  // a pool would hide what the sanitizer looks for
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kPool = false;
#else
constexpr bool kPool = true;
#endif
#else
constexpr bool kPool = true;
#endif

// Rounds up to an eighth of the next lower power of two, so that similar sizes share blocks and
// at most 12.5 % is lost.
std::int64_t size_class(std::int64_t bytes) {
  if (bytes <= 512) return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const auto shift = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(bytes - 1))) - 4;
  const std::int64_t step = std::int64_t{1} << shift;
  return (bytes + step - 1) >> shift << shift;
}

struct Pool {
  std::mutex mutex;
  std::map<std::int64_t, std::vector<void*>> free;  // by size class
  std::atomic<std::int64_t> misses{0};
};

Pool& pool() {
  static Pool* instance = ::new Pool;  // never destroyed: tensors of static storage may outlive it
  return *instance;
}

void* system_allocate(std::int64_t bytes) {
  return ::operator new (static_cast<std::size_t>(bytes),
                         std::align_val_t{static_cast<std::size_t>(kAlignment)}, std::nothrow);
}

void system_release(void* memory) {
  ::operator delete (memory, std::align_val_t{static_cast<std::size_t>(kAlignment)});
}

struct Meter {
  std::atomic<std::int64_t> current{0}, peak{0};

  void add(std::int64_t bytes) {
    const std::int64_t now = current.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t seen = peak.load(std::memory_order_relaxed);
    while (now > seen && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
    }
  }
};

Meter& meter_of(Device device) {
  static Meter meters[2];
  return meters[device.is_cuda()];
}

}  // namespace

void* cpu::allocate(std::int64_t bytes) {
  const std::int64_t size = size_class(std::max<std::int64_t>(bytes, 1));
  if (kPool) {
    const std::lock_guard lock(pool().mutex);
    if (auto found = pool().free.find(size); found != pool().free.end() && !found->second.empty()) {
      void* const memory = found->second.back();
      found->second.pop_back();
      return memory;
    }
  }
  pool().misses.fetch_add(1, std::memory_order_relaxed);
  void* memory = system_allocate(size);
  if (memory == nullptr) {
    trim_memory_pool();
    memory = system_allocate(size);
  }
  require(memory != nullptr, "memory: the system has no ", bytes, " bytes left");
  return memory;
}

void cpu::release(void* memory, std::int64_t bytes) {
  if (!kPool) return system_release(memory);
  const std::lock_guard lock(pool().mutex);
  pool().free[size_class(std::max<std::int64_t>(bytes, 1))].push_back(memory);
}

void cpu::trim_memory_pool() {
  const std::lock_guard lock(pool().mutex);
  for (auto& [size, blocks] : pool().free) {
    for (void* block : blocks) system_release(block);
    blocks.clear();
  }
}

void* allocate(std::int64_t bytes, Device device) {
  constexpr std::int64_t kMost = std::int64_t{1} << 47;  // what a process can address
  require(bytes >= 0 && bytes <= kMost, "memory: ", bytes, " bytes are asked for, expected 0 to ",
          kMost);
  void* memory = nullptr;
  if constexpr (kHasCuda) {
    if (device.is_cuda()) memory = cuda::allocate(bytes, device.index());
  }
  if (device.is_cpu()) memory = cpu::allocate(bytes);
  meter_of(device).add(bytes);
  return memory;
}

void release(void* memory, std::int64_t bytes, Device device) {
  meter_of(device).current.fetch_sub(bytes, std::memory_order_relaxed);
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return cuda::release(memory, bytes, device.index());
  }
  cpu::release(memory, bytes);
}

MemoryUse memory_use(Device device) {
  const Meter& meter = meter_of(device);
  return {meter.current.load(std::memory_order_relaxed),
          meter.peak.load(std::memory_order_relaxed)};
}

std::int64_t memory_pool_misses() { return pool().misses.load(std::memory_order_relaxed); }

void reset_memory_peak(Device device) {
  Meter& meter = meter_of(device);
  meter.peak.store(meter.current.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

std::int64_t host_device_copies() {
  if constexpr (kHasCuda) return cuda::host_copies();
  return 0;
}

void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::int64_t bytes) {
  if (bytes == 0) return;
  if (from_device.is_cuda() && to_device.is_cpu()) require_no_replay("copy");
  if (from_device.is_cpu() && to_device.is_cuda()) require_not_recording("copy");
  if constexpr (kHasCuda) {
    if (to_device.is_cuda() || from_device.is_cuda()) return cuda::copy(to, from, bytes);
  }
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace pliant
