// A thread's own part of a workspace, on the CPU.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/workspace.h>
#include <pliant/core/parallel.h>
#include <pliant/core/sizes.h>

namespace pliant::cpu {

// Room of `count` elements for each thread; of() is the calling thread's.
template <class T>
class PerThread {
 public:
  PerThread(std::int64_t count, Workspace& workspace)
      : stride_((count + kLine - 1) / kLine * kLine),
        memory_(workspace.take<T>(checked_product("workspace", {thread_count(), stride_}))) {}
  T* of() const { return memory_ + thread_index() * stride_; }

 private:
  static constexpr std::int64_t kLine = 64;  // elements; no two threads share a cache line
  std::int64_t stride_;
  T* memory_;
};

}  // namespace pliant::cpu
