// Memory of recorded steps. A graph works on fixed addresses, so what its recording asks for stays
// its own until the graph is gone; within the recording a block that was given back serves again,
// because the stream keeps the order.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace pliant::cuda {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  // Blocks that somebody still holds are freed when they are given back. The graph must have run
  // to its end.
  ~Arena();

  void begin();  // from here on, allocate() and release() below are asked of this arena
  void end();

 private:
  friend void* arena_allocate(std::int64_t bytes);
  friend bool arena_release(void* memory);

  std::multimap<std::int64_t, void*> free_;  // by size
  std::map<void*, std::int64_t> sizes_;
  std::vector<void*> kept_;  // not of an arena, given back during the recording
};

bool is_recording();
// Memory of the arena that is recording; null if the GPU has no more.
void* arena_allocate(std::int64_t bytes);
// Whether an arena has taken `memory` back; if not, it is an ordinary block and nothing is
// recorded.
bool arena_release(void* memory);

}  // namespace pliant::cuda
