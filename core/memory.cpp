#include <pliant/core/memory.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

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
  const auto step =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(bytes - 1)) / 8);
  return (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<std::int64_t, std::vector<void*>> free;  // by size class
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
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return cuda::allocate(bytes, device.index());
  }
  return cpu::allocate(bytes);
}

void release(void* memory, std::int64_t bytes, Device device) {
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return cuda::release(memory, bytes, device.index());
  }
  cpu::release(memory, bytes);
}

void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::int64_t bytes) {
  if (bytes == 0) return;
  if constexpr (kHasCuda) {
    if (to_device.is_cuda() || from_device.is_cuda()) return cuda::copy(to, from, bytes);
  }
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace pliant
