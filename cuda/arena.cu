#include <pliant/cuda/arena.h>

#include <mutex>
#include <utility>

#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

constexpr std::int64_t kBlock = 512;  // sizes are multiples of it
constexpr std::int64_t kWaste = 2;    // a block serves requests down to this part of it

struct Arenas {
  std::mutex mutex;
  cuda::Arena* recording = nullptr;
  std::map<void*, cuda::Arena*> owners;  // null: the arena is gone
};

Arenas& arenas() {
  static Arenas* const instance = new Arenas;  // NOLINT: lives as long as the process
  return *instance;
}

}  // namespace

cuda::Arena::~Arena() {
  const std::lock_guard turn(stream_turns());  // before the other lock, as everywhere
  const std::lock_guard lock(arenas().mutex);
  if (arenas().recording == this) arenas().recording = nullptr;
  for (const auto& [size, memory] : free_) {
    sizes_.erase(memory);
    arenas().owners.erase(memory);
    cudaFree(memory);
  }
  for (const auto& [memory, size] : sizes_) arenas().owners[memory] = nullptr;
  for (void* memory : kept_) cudaFreeAsync(memory, stream());
}

void cuda::Arena::begin() {
  const std::lock_guard lock(arenas().mutex);
  arenas().recording = this;
}

void cuda::Arena::end() {
  const std::lock_guard lock(arenas().mutex);
  arenas().recording = nullptr;
}

bool cuda::is_recording() {
  const std::lock_guard lock(arenas().mutex);
  return arenas().recording != nullptr;
}

void* cuda::arena_allocate(std::int64_t bytes) {
  const std::lock_guard lock(arenas().mutex);
  Arena* const arena = arenas().recording;
  const std::int64_t size = (bytes / kBlock + 1) * kBlock;
  const auto found = arena->free_.lower_bound(size);
  if (found != arena->free_.end() && found->first <= kWaste * size) {
    void* const memory = found->second;
    arena->free_.erase(found);
    return memory;
  }
  void* memory = nullptr;
  if (cudaMalloc(&memory, static_cast<std::size_t>(size)) != cudaSuccess) {
    cudaGetLastError();  // forget it: the caller says what is missing
    return nullptr;
  }
  arena->sizes_.emplace(memory, size);
  arenas().owners.emplace(memory, arena);
  return memory;
}

bool cuda::arena_release(void* memory) {
  const std::lock_guard lock(arenas().mutex);
  const auto owner = arenas().owners.find(memory);
  if (owner == arenas().owners.end()) {
    if (arenas().recording == nullptr) return false;
    // The graph may read it, and must find it at every replay.
    arenas().recording->kept_.push_back(memory);
    return true;
  }
  if (owner->second == nullptr) {
    arenas().owners.erase(owner);
    cudaFree(memory);
  } else {
    owner->second->free_.emplace(owner->second->sizes_.at(memory), memory);
  }
  return true;
}

}  // namespace pliant
