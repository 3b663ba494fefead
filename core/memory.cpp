#include <pliant/core/memory.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include <pliant/core/capture.h>
#include <pliant/core/internal/block_pool.h>

namespace pliant {
namespace {

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
  void* const memory = BlockPool::instance().take(bytes);
  require(memory != nullptr, "memory: the system has no ", bytes, " bytes left");
  return memory;
}

void cpu::release(void* memory, std::int64_t bytes) {
  BlockPool::instance().give_back(memory, bytes);
}

void cpu::trim_memory_pool() { BlockPool::instance().trim(); }

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

std::int64_t memory_pool_misses() { return BlockPool::instance().misses(); }

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
  std::memmove(to, from, static_cast<std::size_t>(bytes));  // views may overlap
}

}  // namespace pliant
