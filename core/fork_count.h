// Processes that are made by fork().
//
// Such a process has none of its parent's threads. It computes with threads of its own, as many as
// its parent had; a job that another thread of the parent was in the middle of is the parent's
// alone, and one that forks inside a task of its own is an Error in the child. A GPU belongs to the
// process that used it first.
#pragma once

#include <cstdint>

namespace pliant {

// How many forks lie between this process and the one that was started: who waits for a thread
// looks here whether it still is in that thread's process.
std::uint64_t fork_count();

}  // namespace pliant
