// The one stream, and whose turn it is to use it.
#pragma once

#include <cuda_runtime_api.h>

#include <mutex>

namespace pliant::cuda {

// Where every kernel, copy and allocation is queued: CUDA's stream for as long as the expression, or
// the variable, lasts that names it. Meanwhile no other thread begins to record. While one does, it
// alone has the stream: others wait, and a wait without end is an Error.
class Stream {
 public:
  Stream();
  operator cudaStream_t() const { return queue_; }  // NOLINT: is passed where CUDA wants its own

 private:
  cudaStream_t queue_;
  std::unique_lock<std::recursive_timed_mutex> turn_;
};
inline Stream stream() { return {}; }
// What whoever records keeps locked.
std::recursive_timed_mutex& stream_turns();

}  // namespace pliant::cuda
