// Prefetcher: a background thread that makes the next few things while the caller uses the last.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <pliant/core/error.h>

namespace pliant {

// Calls `produce` on a thread of its own until it returns nothing, at most `depth` results ahead of
// next(). An exception of `produce` comes out of next(), after all that was made before it.
template <class T>
class Prefetcher {
 public:
  using Produce = std::function<std::optional<T>()>;

  Prefetcher(Produce produce, std::size_t depth) : produce_(std::move(produce)), depth_(depth) {
    require(depth >= 1, "prefetch: depth is 0, expected at least 1");
    thread_ = std::thread([this] { run(); });
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  // Waits for the call of `produce` that is under way, if any, and drops what was not fetched.
  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_one();
    thread_.join();
  }

  // The next result, or nothing once there are no more. For one thread only.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    if (ready_.empty() && !finished_) {
      const auto start = std::chrono::steady_clock::now();
      arrived_.wait(lock, [this] { return !ready_.empty() || finished_; });
      waited_ += std::chrono::steady_clock::now() - start;
    }
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    std::optional<T> result(std::move(ready_.front()));
    ready_.pop_front();
    lock.unlock();
    room_.notify_one();
    return result;
  }

  // How long next() has waited for results, in all. For the thread that calls next().
  std::chrono::steady_clock::duration waited() const { return waited_; }

 private:
  void run() {
    std::exception_ptr error;
    try {
      while (std::optional<T> result = produce_()) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return ready_.size() < depth_ || stopped_; });
        if (stopped_) return;
        ready_.push_back(std::move(*result));
        lock.unlock();
        arrived_.notify_one();
      }
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      error_ = error;
      finished_ = true;
    }
    arrived_.notify_one();
  }

  const Produce produce_;
  const std::size_t depth_;
  std::mutex mutex_;  // guards all below but waited_
  std::condition_variable arrived_, room_;
  std::deque<T> ready_;
  std::exception_ptr error_;
  bool finished_ = false;  // the thread makes nothing more
  bool stopped_ = false;   // nobody wants more
  std::chrono::steady_clock::duration waited_{};
  std::thread thread_;
};

}  // namespace pliant
