// Threads for the CPU kernels. How work is cut never depends on how many threads there are, so no
// bit of a result does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace pliant {

// Threads that parallel_for uses from now on; at least 1. The default is the OpenMP runtime's.
inline void set_thread_count(int count) {
#ifdef _OPENMP
  omp_set_num_threads(std::max(1, count));
#else
  static_cast<void>(count);
#endif
}

inline int thread_count() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

// Index of the calling thread inside parallel_for, in [0, thread_count()).
inline int thread_index() {
#ifdef _OPENMP
  return omp_get_thread_num();
#else
  return 0;
#endif
}

// Calls f(i) for every task i in [0, count). Tasks are handed out in order as threads come free;
// each must own what it writes. Nested calls run serially. The first exception is rethrown.
template <class F>
void parallel_for(std::int64_t count, F&& f) {
#ifdef _OPENMP
  if (count > 1 && omp_get_max_threads() > 1 && !omp_in_parallel()) {
    std::exception_ptr error;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) {
      try {
        f(i);
      } catch (...) {
#pragma omp critical(pliant_parallel_error)
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  for (std::int64_t i = 0; i < count; ++i) f(i);
}

// Calls f(begin, end) for the blocks of `block` indices that cover [0, size); the last is shorter.
template <class F>
void parallel_blocks(std::int64_t size, std::int64_t block, F&& f) {
  parallel_for((size + block - 1) / block,
               [&](std::int64_t i) { f(i * block, std::min(size, (i + 1) * block)); });
}

}  // namespace pliant
