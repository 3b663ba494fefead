// Prefetcher: background threads that make the next few things while the caller uses the last.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/fork_count.h>

namespace pliant {

constexpr std::int64_t kMostPrefetchThreads = 256;

struct PrefetchOptions {
  std::int64_t ahead = 3;    // made, or being made, before next() asks for them
  std::int64_t threads = 1;  // no more than `ahead` have work
};

// Things number first .. end-1, in order. Each is make(number), called once, by threads of its own;
// so `make` must bear being called by several of them at once. An exception of `make` comes out of
// next(), after all things before. Where the system refuses a thread next() calls `make` itself. In
// a process that was forked since there are no such threads: next() is an Error there.
template <class T>
class Prefetcher {
 public:
  using Make = std::function<T(std::int64_t)>;

  Prefetcher(std::int64_t first, std::int64_t end, Make make, const PrefetchOptions& options = {})
      : state_(std::make_shared<State>(first, end, std::move(make), options.ahead)) {
    require(state_->make != nullptr, "prefetch: the function is empty");
    require(options.ahead >= 1, "prefetch: ahead is ", options.ahead, ", expected at least 1");
    require(options.threads >= 1 && options.threads <= kMostPrefetchThreads,
            "prefetch: ", options.threads, " threads, expected 1 to ", kMostPrefetchThreads);
    require(first >= 0 && first <= end, "prefetch: from ", first, " to ", end,
            ", expected 0 <= first <= end");
    const std::int64_t threads = std::min({options.threads, options.ahead, end - first});
    try {
      for (std::int64_t i = 0; i < threads; ++i)
        state_->threads.emplace_back([state = state_] { state->run(); });
    } catch (const std::system_error&) {  // as many threads as there may be
    } catch (...) {
      end_threads();
      throw;
    }
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  // Waits for the calls of `make` that are under way, and drops what was not fetched.
  ~Prefetcher() { end_threads(); }

  // The next thing, or nothing once there are no more. For one thread only.
  std::optional<T> next() {
    State& state = *state_;
    require(state.is_here(), "prefetch: begun before this process was forked; begin anew in it");
    const auto start = std::chrono::steady_clock::now();
    bool waited = false;
    if (state.threads.empty()) waited = state.make_one();
    std::unique_lock lock(state.mutex);
    if (!state.is_next_settled()) {
      waited = true;
      state.arrived.wait(lock, [&] { return state.is_next_settled(); });
    }
    if (waited) waited_ += std::chrono::steady_clock::now() - start;
    const auto found = state.ready.find(state.given);
    if (found == state.ready.end()) {
      if (state.error) std::rethrow_exception(state.error);
      return std::nullopt;
    }
    std::optional<T> result(std::move(found->second));
    state.ready.erase(found);
    ++state.given;
    lock.unlock();
    state.room.notify_one();
    return result;
  }

  // How long next() has waited for things, in all. For the thread that calls next().
  std::chrono::steady_clock::duration waited() const { return waited_; }

 private:
  struct State {
    State(std::int64_t first, std::int64_t end_, Make make_, std::int64_t ahead_)
        : make(std::move(make_)), ahead(ahead_), given(first), begun(first), end(end_) {}

    bool is_here() const { return forks == fork_count(); }
    // Whether next() need not wait. Under the lock, as the next one.
    bool is_next_settled() const { return given >= end || ready.count(given) > 0; }
    bool has_work() const { return begun < end && begun - given < ahead; }

    void run() {
      while (make_one()) continue;
    }

    // Makes one more, once there is room for it; false if there is none, or nobody wants more.
    bool make_one() {
      std::unique_lock lock(mutex);
      room.wait(lock, [this] { return stopped || begun >= end || has_work(); });
      if (stopped || begun >= end) return false;
      const std::int64_t number = begun++;
      if (has_work()) room.notify_one();
      lock.unlock();
      std::optional<T> made;
      std::exception_ptr failure;
      try {
        made.emplace(make(number));
        lock.lock();
        ready.emplace(number, std::move(*made));
      } catch (...) {
        failure = std::current_exception();
        if (!lock.owns_lock()) lock.lock();
        if (number < end) {  // of several failures, the first in order
          end = number;
          error = failure;
        }
      }
      lock.unlock();
      arrived.notify_one();
      if (failure) room.notify_all();  // nothing more is made
      return failure == nullptr;
    }

    const Make make;
    const std::int64_t ahead;
    const std::uint64_t forks = fork_count();
    std::mutex mutex;  // guards what follows
    std::condition_variable arrived, room;
    std::map<std::int64_t, T> ready;
    std::int64_t given, begun, end;  // the next to give, to make; the first that there is not
    std::exception_ptr error;        // of making thing number `end`
    bool stopped = false;            // nobody wants more
    std::vector<std::thread> threads;
  };

  void end_threads() {
    if (!state_->is_here()) {  // for ever as the vanished threads left it
      static_cast<void>(std::make_unique<std::shared_ptr<State>>(state_).release());
      return;
    }
    {
      const std::lock_guard lock(state_->mutex);
      state_->stopped = true;
    }
    state_->room.notify_all();
    for (std::thread& thread : state_->threads) thread.join();
    state_->threads.clear();
  }

  const std::shared_ptr<State> state_;
  std::chrono::steady_clock::duration waited_{};
};

}  // namespace pliant
