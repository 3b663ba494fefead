#include <pliant/core/internal/block_pool.h>

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include <pliant/core/memory.h>

namespace pliant {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;  // a pool would hide what the sanitizer looks for
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif
#else
constexpr bool kKeeps = true;
#endif

constexpr std::int64_t kMost = std::int64_t{1} << 47;    // more than an address space holds
constexpr std::int64_t kSpare = std::int64_t{32} << 20;  // kept however little is in use
// From here on blocks are pages of their own: the heap does not give back what lies between others.
constexpr std::int64_t kPages = std::int64_t{1} << 20;

void* system_allocate(std::int64_t bytes) noexcept {
  const auto size = static_cast<std::size_t>(bytes);
  if (bytes < kPages || !kKeeps)
    return ::operator new (size, std::align_val_t{static_cast<std::size_t>(kAlignment)},
                           std::nothrow);
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void system_release(void* memory, std::int64_t bytes) noexcept {
  if (bytes < kPages || !kKeeps)
    ::operator delete (memory, std::align_val_t{static_cast<std::size_t>(kAlignment)});
  else
    ::munmap(memory, static_cast<std::size_t>(bytes));
}

}  // namespace

// What lies in front of a block's memory.
struct alignas(kAlignment) BlockPool::Block {
  int size_class;
  Block *newer, *older;    // of all that are kept
  Block *before, *behind;  // of those of the same class

  std::int64_t size() const { return size_of(size_class); }
  std::int64_t whole() const { return size() + static_cast<std::int64_t>(sizeof(Block)); }
};

BlockPool& BlockPool::instance() {
  static BlockPool* const pool = [] {
    auto* const made =
        ::new BlockPool;  // never destroyed: tensors of static storage may outlive it
    ::pthread_atfork([] { instance().lock(); }, [] { instance().unlock(); },
                     [] { instance().unlock(); });
    return made;
  }();
  return *pool;
}

// Multiples of 64 up to 512; then eighths of a power of two, so that similar sizes share blocks and
// at most 12.5 % is lost.
int BlockPool::class_of(std::int64_t bytes) {
  if (bytes <= 512) return static_cast<int>((bytes + 63) / 64) - 1;
  const int shift = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(bytes - 1))) - 4;
  const auto eighths = static_cast<int>((bytes + (std::int64_t{1} << shift) - 1) >> shift);
  return 8 * (shift - 5) + eighths - 9;
}

std::int64_t BlockPool::size_of(int size_class) {
  if (size_class < 8) return 64 * std::int64_t{size_class + 1};
  return std::int64_t{size_class % 8 + 9} << (size_class / 8 + 5);
}

void* BlockPool::take(std::int64_t bytes) {
  bytes = std::max<std::int64_t>(bytes, 1);
  if (bytes > kMost) return nullptr;
  if (!kKeeps) {
    misses_.fetch_add(1, std::memory_order_relaxed);
    return system_allocate(bytes);
  }
  const std::lock_guard lock(mutex_);
  const int size_class = class_of(bytes);
  Block* block = find(bytes, size_class);
  if (block == nullptr) block = from_system(bytes, size_class);
  if (block == nullptr) return nullptr;
  live_ += bytes;
  largest_live_ = std::max(largest_live_, live_);
  lost_ += block->size() - size_of(size_class);
  return block + 1;
}

void BlockPool::give_back(void* memory, std::int64_t bytes) noexcept {
  bytes = std::max<std::int64_t>(bytes, 1);
  if (!kKeeps) return system_release(memory, bytes);
  const std::lock_guard lock(mutex_);
  Block* const block = static_cast<Block*>(memory) - 1;
  live_ -= bytes;
  lost_ -= block->size() - size_of(class_of(bytes));
  keep(block);
}

void BlockPool::trim() noexcept {
  const std::lock_guard lock(mutex_);
  while (oldest_ != nullptr) to_system(oldest_);
}

BlockPool::Block* BlockPool::find(std::int64_t bytes, int size_class) {
  const std::int64_t may_lose = std::max(largest_live_, live_ + bytes) / 10 - lost_;
  const std::int64_t size = size_of(size_class);
  for (int c = size_class; c <= size_class + 8 && c < kClasses; ++c) {
    if (c > size_class && size_of(c) - size > may_lose) return nullptr;
    if (Block* const block = kept_[static_cast<std::size_t>(c)]; block != nullptr) {
      unkeep(block);
      return block;
    }
  }
  return nullptr;
}

BlockPool::Block* BlockPool::from_system(std::int64_t bytes, int size_class) {
  misses_.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t whole = size_of(size_class) + static_cast<std::int64_t>(sizeof(Block));
  make_room(bytes, whole);
  void* memory = system_allocate(whole);
  if (memory == nullptr) {
    while (oldest_ != nullptr) to_system(oldest_);
    memory = system_allocate(whole);
  }
  if (memory == nullptr) return nullptr;
  held_ += whole;
  return ::new (memory) Block{size_class, nullptr, nullptr, nullptr, nullptr};
}

void BlockPool::to_system(Block* block) noexcept {
  unkeep(block);
  held_ -= block->whole();
  system_release(block, block->whole());
}

// Sends back what would lie beyond the limit with a block of `whole` for `bytes` more.
void BlockPool::make_room(std::int64_t bytes, std::int64_t whole) noexcept {
  const std::int64_t most = std::max(largest_live_, live_ + bytes);
  while (oldest_ != nullptr && held_ + whole > most + most / 4 + kSpare) to_system(oldest_);
}

void BlockPool::keep(Block* block) noexcept {
  Block*& front = kept_[static_cast<std::size_t>(block->size_class)];
  block->older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = block;
  block->newer = nullptr;
  newest_ = block;
  block->behind = front;
  block->before = nullptr;
  if (front != nullptr) front->before = block;
  front = block;
}

void BlockPool::unkeep(Block* block) noexcept {
  Block*& front = kept_[static_cast<std::size_t>(block->size_class)];
  (block->newer != nullptr ? block->newer->older : newest_) = block->older;
  (block->older != nullptr ? block->older->newer : oldest_) = block->newer;
  (block->before != nullptr ? block->before->behind : front) = block->behind;
  if (block->behind != nullptr) block->behind->before = block->before;
}

}  // namespace pliant
