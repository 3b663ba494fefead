#include <sys/resource.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <pliant/core/parallel.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

bool every_task_once(std::int64_t count) {
  std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
  std::atomic<bool> beyond{false};
  parallel_for(count, [&](std::int64_t i) {
    if (i < 0 || i >= count) beyond = true;
    if (!beyond) calls[static_cast<std::size_t>(i)].fetch_add(1);
  });
  for (const auto& c : calls)
    if (c != 1) return false;
  return !beyond;
}

}  // namespace

TEST_CASE("parallel: every task once, on any number of threads") {
  const int before = thread_count();
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    CHECK(thread_count() == threads);
    for (const std::int64_t count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      std::atomic<bool> index_right{true};
      parallel_for(count, [&](std::int64_t i) {
        calls[static_cast<std::size_t>(i)].fetch_add(1);
        if (thread_index() < 0 || thread_index() >= threads) index_right = false;
      });
      for (const auto& c : calls) CHECK(c.load() == 1);
      CHECK(index_right);
    }
  }
  set_thread_count(before);
}

TEST_CASE("parallel: two threads take part where there are two") {
  const int before = thread_count();
  set_thread_count(2);
  std::atomic<int> arrived{0};
  // Neither task can end before the other has begun.
  parallel_for(2, [&](std::int64_t) {
    arrived.fetch_add(1);
    while (arrived.load() < 2) std::this_thread::yield();
  });
  CHECK(arrived.load() == 2);
  set_thread_count(before);
}

TEST_CASE("parallel: blocks cover the range") {
  std::vector<int> covered(1003, 0);
  parallel_blocks(1003, 64, [&](std::int64_t begin, std::int64_t end) {
    CHECK(end - begin <= 64);
    for (std::int64_t i = begin; i < end; ++i) ++covered[static_cast<std::size_t>(i)];
  });
  for (const int c : covered) CHECK(c == 1);
}

TEST_CASE("parallel: nested calls, exceptions, and calls from several threads") {
  std::atomic<int> inner{0};
  parallel_for(8,
               [&](std::int64_t) { parallel_for(8, [&](std::int64_t) { inner.fetch_add(1); }); });
  CHECK(inner.load() == 64);

  CHECK_THROWS_WITH_AS(parallel_for(100,
                                    [](std::int64_t i) {
                                      if (i == 37) throw std::runtime_error("task 37");
                                    }),
                       "task 37", std::runtime_error);
  std::atomic<int> after{0};
  parallel_for(10, [&](std::int64_t) { after.fetch_add(1); });
  CHECK(after.load() == 10);

  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel_for(16, [&](std::int64_t) { total.fetch_add(1); });
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(total.load() == 4 * 200 * 16);
}

TEST_CASE("parallel: threads that cannot be had are an Error, and those there were go on") {
  if (kSanitized) return;
  for (const int before : {1, 2, 3})
    CHECK(in_child([&] {
            set_thread_count(before);
            if (!every_task_once(1000)) return 1;
            const rlimit address_space{std::size_t{1500} << 20, std::size_t{1500} << 20};
            ::setrlimit(RLIMIT_AS, &address_space);
            const std::string error = error_of([] { set_thread_count(1024); });
            if (!contains(error, "threads: of 1024 that were asked for only ")) return 2;
            if (!contains(error, "PLIANT_THREADS")) return 3;
            if (thread_count() != before || !every_task_once(1000)) return 4;
            set_thread_count(2);
            return thread_count() == 2 && every_task_once(1000) ? 0 : 5;
          }) == 0);
}

TEST_CASE("parallel: from any number of threads to any other") {
  const int before = thread_count();
  for (const int count : {5, 2, 7, 1, 3, 3, 6, 5, 1}) {
    set_thread_count(count);
    CHECK(thread_count() == count);
    CHECK(every_task_once(100));
  }
  set_thread_count(before);
}
