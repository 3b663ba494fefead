// Prefetcher: a background thread that makes the next few things while the caller uses the last.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <pliant/core/error.h>
#include <pliant/core/fork_count.h>

namespace pliant {

// Calls `produce` on a thread of its own until it returns nothing, at most `depth` results ahead of
// next(). An exception of `produce` comes out of next(), after all that was made before it. Where
// the system refuses a thread next() calls `produce` itself. In a process that was forked since
// there is no such thread: next() is an Error there.
template <class T>
class Prefetcher {
 public:
  using Produce = std::function<std::optional<T>()>;

  Prefetcher(Produce produce, std::size_t depth)
      : state_(std::make_shared<State>(std::move(produce), depth)) {
    require(state_->produce != nullptr, "prefetch: the function is empty");
    require(depth >= 1, "prefetch: depth is 0, expected at least 1");
    try {
      state_->thread = std::thread([state = state_] { state->run(); });
    } catch (const std::system_error&) {  // as many threads as there may be
    }
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  // Waits for the call of `produce` that is under way, if any, and drops what was not fetched.
  ~Prefetcher() {
    if (!state_->is_here()) return;  // for ever as the vanished thread left it, which shares it
    {
      const std::lock_guard lock(state_->mutex);
      state_->stopped = true;
    }
    state_->room.notify_one();
    if (state_->thread.joinable()) state_->thread.join();
  }

  // The next result, or nothing once there are no more. For one thread only.
  std::optional<T> next() {
    State& state = *state_;
    require(state.is_here(), "prefetch: begun before this process was forked; begin anew in it");
    const auto start = std::chrono::steady_clock::now();
    bool waited = false;
    if (!state.thread.joinable()) waited = state.ready.empty() && !state.finished && state.make();
    std::unique_lock lock(state.mutex);
    if (state.ready.empty() && !state.finished) {
      waited = true;
      state.arrived.wait(lock, [&] { return !state.ready.empty() || state.finished; });
    }
    if (waited) waited_ += std::chrono::steady_clock::now() - start;
    if (state.ready.empty()) {
      if (state.error) std::rethrow_exception(state.error);
      return std::nullopt;
    }
    std::optional<T> result(std::move(state.ready.front()));
    state.ready.pop_front();
    lock.unlock();
    state.room.notify_one();
    return result;
  }

  // How long next() has waited for results, in all. For the thread that calls next().
  std::chrono::steady_clock::duration waited() const { return waited_; }

 private:
  struct State {
    State(Produce produce_, std::size_t depth_) : produce(std::move(produce_)), depth(depth_) {}

    bool is_here() const { return forks == fork_count(); }

    void run() {
      while (make()) continue;
    }

    // Makes one more and waits for room for it; false if there is none, or nobody wants more.
    bool make() {
      std::exception_ptr failure;
      try {
        if (std::optional<T> result = produce()) {
          std::unique_lock lock(mutex);
          room.wait(lock, [this] { return ready.size() < depth || stopped; });
          if (stopped) return false;
          ready.push_back(std::move(*result));
          lock.unlock();
          arrived.notify_one();
          return true;
        }
      } catch (...) {
        failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex);
        error = failure;
        finished = true;
      }
      arrived.notify_one();
      return false;
    }

    const Produce produce;
    const std::size_t depth;
    const std::uint64_t forks = fork_count();
    std::mutex mutex;  // guards what follows
    std::condition_variable arrived, room;
    std::deque<T> ready;
    std::exception_ptr error;
    bool finished = false;  // nothing more is made
    bool stopped = false;   // nobody wants more
    std::thread thread;
  };

  const std::shared_ptr<State> state_;
  std::chrono::steady_clock::duration waited_{};
};

}  // namespace pliant
