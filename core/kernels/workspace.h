// Workspace: scratch memory of one kernel call, given back when the call is over.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/core/device.h>
#include <pliant/core/memory.h>

namespace pliant {

class Workspace {
 public:
  explicit Workspace(Device device) : device_(device) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    for (const auto& [memory, bytes] : blocks_) release(memory, bytes, device_);
  }

  // Room for `count` elements, uninitialised. Not for use inside parallel_for: take room for all
  // threads before.
  template <class T>
  T* take(std::int64_t count) {
    const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(T));
    void* const memory = allocate(bytes, device_);
    blocks_.emplace_back(memory, bytes);
    return static_cast<T*>(memory);
  }

 private:
  Device device_;
  std::vector<std::pair<void*, std::int64_t>> blocks_;
};

}  // namespace pliant
