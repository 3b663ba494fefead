#include <pliant/core/parallel.h>

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace pliant {
namespace {

thread_local int this_index = 0;
thread_local bool inside_task = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
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

// Workers that take part in a job if they come in time. The caller waits for those that took a task
// and never for one that did not wake: on a busy machine a fork and join over all threads would
// wait for the scheduler at every kernel.
class Pool {
 public:
  ~Pool() { resize(1); }

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void resize(int count) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stop_ = false;
    shares_ = std::vector<Share>(static_cast<std::size_t>(count));
    for (int index = 1; index < count; ++index)
      workers_.emplace_back([this, index, seen = posted_.load()] { work(index, seen); });
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
    finish();
    if (job.error) std::rethrow_exception(job.error);
    return true;
  }

 private:
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
      wake_.wait(lock, [&] { return stop_ || posted_.load() != seen; });
      --sleeping_;
      if (stop_) return;
      seen = posted_.load();
      Job* const job = job_;
      if (job != nullptr) {
        active_.fetch_add(1);
        lock.unlock();
        job->drain(static_cast<std::size_t>(index));
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
  bool stop_ = false;
  std::atomic<std::uint64_t> posted_{0};  // jobs so far; changed under the mutex
  std::atomic<int> active_{0};            // workers in the job; changed under the mutex
  std::vector<Share> shares_;
  std::vector<std::thread> workers_;
};

// That this process may run on: taskset and containers leave it fewer than the machine has.
int processors() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

int default_thread_count() {
  if (const char* const asked = std::getenv("PLIANT_THREADS"))
    if (const long count = std::strtol(asked, nullptr, 10); count >= 1 && count <= 4096)
      return static_cast<int>(count);
  return std::max(1, processors());
}

Pool& pool() {
  static Pool instance;
  static const bool sized = (instance.resize(default_thread_count()), true);
  static_cast<void>(sized);
  return instance;
}

}  // namespace

void set_thread_count(int count) { pool().resize(std::max(1, count)); }

int thread_count() { return pool().size(); }

int thread_index() { return this_index; }

void detail::parallel_run(std::int64_t count, void (*run)(void*, std::int64_t), void* context) {
  if (count > 1 && !inside_task && pool().size() > 1 && pool().run(count, run, context)) return;
  for (std::int64_t i = 0; i < count; ++i) run(context, i);
}

}  // namespace pliant
