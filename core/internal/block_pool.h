// The CPU's memory for tensors: blocks that are kept for the next tensor of about their size.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace pliant {

// What the pool has from the system, in use and kept, is at most 1.25 x the largest total that was
// ever in use at once + 32 MiB (of tensors of half a kilobyte and more): kept blocks that do not
// fit into that go back to the system, the longest unused first. A request takes a kept block of
// its own size class, else the next larger one up to twice its size, as long as all that is lost so
// is at most a tenth of the largest total. Nothing is allocated to give a block back.
class BlockPool {
 public:
  static BlockPool& instance();

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() { trim(); }

  // Uninitialised bytes, aligned to kAlignment; nullptr where the system has none left.
  void* take(std::int64_t bytes);
  void give_back(void* memory, std::int64_t bytes) noexcept;
  // Gives what is kept back to the system.
  void trim() noexcept;
  // How often the system had to be asked.
  std::int64_t misses() const { return misses_.load(std::memory_order_relaxed); }

  // Bytes that the system has given, in use and kept.
  std::int64_t held() const { return held_; }

  // From before fork() to after it, in both processes: what no thread is in the middle of.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Block;
  // Eight an octave; the last is of 2^62 bytes.
  static constexpr int kClasses = 512;

  static int class_of(std::int64_t bytes);
  static std::int64_t size_of(int size_class);
  Block* find(std::int64_t bytes, int size_class);
  Block* from_system(std::int64_t bytes, int size_class);
  void to_system(Block* block) noexcept;
  void keep(Block* block) noexcept;
  void unkeep(Block* block) noexcept;
  void make_room(std::int64_t bytes, std::int64_t whole) noexcept;

  std::mutex mutex_;                             // guards what follows
  std::array<Block*, kClasses> kept_{};          // the one used last of each class
  Block *newest_ = nullptr, *oldest_ = nullptr;  // of all that are kept
  std::int64_t held_ = 0;                        // bytes that the system has given
  std::int64_t live_ = 0, largest_live_ = 0;     // bytes asked for and not yet given back
  std::int64_t lost_ = 0;  // bytes by which blocks in use are of a larger class
  std::atomic<std::int64_t> misses_{0};
};

}  // namespace pliant
