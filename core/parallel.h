// Threads for the CPU kernels. How sums are cut never depends on how many threads there are, so no
// bit of a result does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace pliant {

// Threads that parallel_for uses from now on, the caller among them: 1 to 1024. By default as many
// as the variable PLIANT_THREADS says, else processors(). Another number, or threads that the
// system refuses, are an Error; there are as many as before. Not while another thread computes.
void set_thread_count(int count);
int thread_count();

// Index of the calling thread inside parallel_for, in [0, thread_count()); 0 outside.
int thread_index();

namespace detail {
// Calls run(context, i) for every i in [0, count).
void parallel_run(std::int64_t count, void (*run)(void* context, std::int64_t i), void* context);
}  // namespace detail

// Calls f(i) for every task i in [0, count). Tasks are handed out in order as threads come free;
// each must own what it writes. Calls from inside a task run serially, and so do calls from a
// second thread while one is under way. The first exception is rethrown when all threads are done;
// tasks that had not begun by then are left out.
template <class F>
void parallel_for(std::int64_t count, F&& f) {
  auto* task = std::addressof(f);
  detail::parallel_run(
      count, [](void* context, std::int64_t i) { (**static_cast<decltype(task)*>(context))(i); },
      &task);
}

// Calls f(begin, end) for the blocks of `block` indices that cover [0, size); the last is shorter.
template <class F>
void parallel_blocks(std::int64_t size, std::int64_t block, F&& f) {
  parallel_for((size + block - 1) / block,
               [&](std::int64_t i) { f(i * block, std::min(size, (i + 1) * block)); });
}

}  // namespace pliant
