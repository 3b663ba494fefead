#include <pliant/core/parallel.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/fork_count.h>
#include <pliant/core/internal/processors.h>

namespace pliant {
namespace {

constexpr int kMostThreads = 1024;

thread_local int this_index = 0;
thread_local bool inside_task = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How often a thread looks for work (about 30 microseconds in all) before it goes to sleep: the gap
// between two kernels of a step is shorter than waking up takes.
constexpr int kSpins = 2000;

// The tasks that are one thread's to begin with: [next, end). The same share of every job is the
// same thread's, so that from kernel to kernel it finds its part of the images in its own cache.
struct alignas(64) Share {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

struct Job {
  void (*run)(void*, std::int64_t);
  void* context;
  std::vector<Share>& shares;  // one for each thread
  std::mutex error_mutex;
  std::exception_ptr error;

  // Takes the tasks of one's own share, then what is left of the others'.
  void drain(std::size_t own) {
    for (std::size_t i = 0; i < shares.size(); ++i) drain(shares[(own + i) % shares.size()]);
  }

 private:
  void drain(Share& share) {
    for (std::int64_t i = 0;
         (i = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
      try {
        run(context, i);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        for (Share& rest : shares) rest.next.store(rest.end, std::memory_order_relaxed);
      }
    }
  }
};

// The process's pool, made when it is first needed. It is never destroyed: what is static may
// compute to the end, and a process that ends need not wait for threads.
class Pool;
std::atomic<Pool*> current{nullptr};

// Workers that take part in a job if they come in time. The caller waits for those that took a task
// and never for one that did not wake: on a busy machine a fork and join over all threads would
// wait for the scheduler at every kernel.
class Pool {
 public:
  explicit Pool(int count) { resize(count); }
  ~Pool() { shrink(1); }

  int size() const { return size_.load(std::memory_order_relaxed); }

  Pool* before = nullptr;  // the one that an earlier fork left behind

  // As many threads as before if that many cannot be had.
  void resize(int count) {
    const std::lock_guard turn(turn_);
    std::vector<Share> shares(static_cast<std::size_t>(count));
    workers_.reserve(static_cast<std::size_t>(count));
    shrink(count);
    const int had = size();
    try {
      while (size() < count) start_worker();
    } catch (const std::exception& error) {
      const int most = size();
      shrink(had);
      fail("threads: of ", count, " that were asked for only ", most, " could be started (",
           error.what(), "); ask for fewer by set_thread_count or PLIANT_THREADS (1 needs no ",
           "further thread), or raise the limit (ulimit -u, ulimit -v, the container's pids)");
    }
    shares_ = std::move(shares);
  }

  // Calls task(context, i) for every i in [0, count). False, and nothing done, if a job of another
  // thread is under way.
  bool run(std::int64_t count, void (*task)(void*, std::int64_t), void* context) {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    Job job{task, context, shares_, {}, {}};
    share_out(count);
    bool sleepers = false;
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      posted_.fetch_add(1, std::memory_order_release);
      sleepers = sleeping_ > 0;
    }
    if (sleepers) wake_.notify_all();
    inside_task = true;
    job.drain(0);
    inside_task = false;
    require(!forgotten(), "parallel_for: the process was forked inside one of its tasks, and the ",
            "threads that had the others are not in this process");
    finish();
    if (job.error) std::rethrow_exception(job.error);
    return true;
  }

 private:
  // In a process that was forked since: nobody but the calling thread is here.
  bool forgotten() const { return current.load(std::memory_order_relaxed) != this; }

  void start_worker() {
    const int index = size();
    {
      const std::lock_guard lock(mutex_);
      wanted_ = index + 1;
    }
    workers_.emplace_back([this, index, seen = posted_.load()] { work(index, seen); });
    size_.store(index + 1, std::memory_order_relaxed);
  }

  // Ends the workers from index `count` on.
  void shrink(int count) {
    {
      const std::lock_guard lock(mutex_);
      wanted_ = std::min(size(), count);
    }
    wake_.notify_all();
    for (; size() > count; size_.fetch_sub(1, std::memory_order_relaxed)) {
      workers_.back().join();
      workers_.pop_back();
    }
  }

  void share_out(std::int64_t count) {
    const std::int64_t threads = size(), least = count / threads, more = count % threads;
    std::int64_t end = 0;
    for (Share& share : shares_) {
      share.next.store(end, std::memory_order_relaxed);
      end += least + (&share - shares_.data() < more ? 1 : 0);
      share.end = end;
    }
  }

  // Takes the job back and waits for the workers that are in it.
  void finish() {
    std::unique_lock lock(mutex_);
    job_ = nullptr;
    if (active_.load() == 0) return;
    lock.unlock();
    for (int spin = 0; spin < kSpins && active_.load() > 0; ++spin) pause();
    lock.lock();
    idle_.wait(lock, [this] { return active_.load() == 0; });
  }

  // `seen`: jobs posted before this worker was made.
  void work(int index, std::uint64_t seen) {
    this_index = index;
    inside_task = true;
    std::unique_lock lock(mutex_, std::defer_lock);
    for (;;) {
      for (int spin = 0; spin < kSpins && posted_.load(std::memory_order_acquire) == seen; ++spin)
        pause();
      lock.lock();
      ++sleeping_;
      wake_.wait(lock, [&] { return index >= wanted_ || posted_.load() != seen; });
      --sleeping_;
      if (index >= wanted_) return;
      seen = posted_.load();
      Job* const job = job_;
      if (job != nullptr) {
        active_.fetch_add(1);
        lock.unlock();
        job->drain(static_cast<std::size_t>(index));
        if (forgotten()) return;
        lock.lock();
        if (active_.fetch_sub(1) == 1) idle_.notify_one();
      }
      lock.unlock();
    }
  }

  std::mutex turn_;   // held by whoever's job it is
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, idle_;
  Job* job_ = nullptr;
  int sleeping_ = 0;
  int wanted_ = 1;                        // threads; a worker of a higher index ends
  std::atomic<std::uint64_t> posted_{0};  // jobs so far; changed under the mutex
  std::atomic<int> active_{0};            // workers in the job; changed under the mutex
  std::atomic<int> size_{1};              // threads, the caller among them
  std::vector<Share> shares_;
  std::vector<std::thread> workers_;
};

// Whatever its size and dtype, the first computation says what is wrong with it.
int default_thread_count() {
  const char* const asked = std::getenv("PLIANT_THREADS");
  if (asked == nullptr) return std::min(processors(), kMostThreads);
  const std::string_view text = asked;
  const char* const end = text.data() + text.size();
  int count = 0;
  const auto [stop, failure] = std::from_chars(text.data(), end, count);
  require(failure == std::errc{} && stop == end && count >= 1 && count <= kMostThreads,
          "PLIANT_THREADS: expected a whole number from 1 to ", kMostThreads, ", got '", text, "'");
  return count;
}

// A pool of `count` threads, or the one that another thread made first.
Pool& make_pool(int count) {
  auto made = std::make_unique<Pool>(count);
  Pool* there = nullptr;
  if (current.compare_exchange_strong(there, made.get())) there = made.release();
  return *there;
}

std::atomic<int> inherited{0};        // threads of the pool that a fork left behind
Pool* left_behind = nullptr;          // by the last fork: never destroyed, so it stays in reach
std::atomic<std::uint64_t> forks{0};  // between the first process and this one

// A forked process has its one thread alone: it makes a pool of its own when it computes, of as
// many threads. The other pool stays as it was when its threads vanished.
void forget_pool() {
  if (Pool* const left = current.exchange(nullptr)) {
    inherited = left->size();
    left->before = std::exchange(left_behind, left);
  }
  forks.fetch_add(1);
}
[[maybe_unused]] const int watched = ::pthread_atfork(nullptr, nullptr, forget_pool);

Pool& pool() {
  if (Pool* const there = current.load(std::memory_order_acquire)) return *there;
  const int count = inherited;
  return make_pool(count > 0 ? count : default_thread_count());
}

}  // namespace

void set_thread_count(int count) {
  require(count >= 1 && count <= kMostThreads, "set_thread_count: expected from 1 to ",
          kMostThreads, " threads, got ", count);
  require(!inside_task, "set_thread_count: called inside parallel_for");
  Pool* there = current.load(std::memory_order_acquire);
  if (there == nullptr) there = &make_pool(count);
  if (there->size() != count) there->resize(count);
}

int thread_count() { return pool().size(); }

int thread_index() { return this_index; }

std::uint64_t fork_count() { return forks.load(std::memory_order_relaxed); }

void detail::parallel_run(std::int64_t count, void (*run)(void*, std::int64_t), void* context) {
  Pool& threads = pool();  // even for one task: what is wrong with it is said at once
  if (count > 1 && !inside_task && threads.size() > 1 && threads.run(count, run, context)) return;
  for (std::int64_t i = 0; i < count; ++i) run(context, i);
}

}  // namespace pliant
