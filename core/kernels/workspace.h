// Workspace: scratch memory of one kernel call, given back when the call is over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <pliant/core/device.h>
#include <pliant/core/memory.h>
#include <pliant/core/sizes.h>

namespace pliant {

class Workspace {
 public:
  explicit Workspace(Device device) : device_(device) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    for (const Block& block : std::span(first_).first(used_)) give_back(block);
    for (const Block& block : more_) give_back(block);
  }

  // Room for `count` elements, uninitialised. Not for use inside parallel_for: take room for all
  // threads before.
  template <class T>
  T* take(std::int64_t count) {
    const std::int64_t bytes =
        checked_product("workspace", {count, static_cast<std::int64_t>(sizeof(T))});
    if (used_ == first_.size()) more_.reserve(more_.size() + 1);  // may fail, so before the block
    void* const memory = allocate(bytes, device_);
    if (used_ < first_.size())
      first_[used_++] = {memory, bytes};
    else
      more_.push_back({memory, bytes});
    return static_cast<T*>(memory);
  }

 private:
  struct Block {
    void* memory;
    std::int64_t bytes;
  };
  void give_back(const Block& block) const { release(block.memory, block.bytes, device_); }

  Device device_;
  std::array<Block, 8> first_{};  // as many as most kernels take
  std::size_t used_ = 0;
  std::vector<Block> more_;
};

}  // namespace pliant
