#include <pliant/cuda/trace.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <pliant/cuda/arena.h>
#include <pliant/cuda/runtime.h>

namespace pliant {
namespace {

using namespace cuda;

struct Sum {
  std::int64_t launches = 0, recorded = 0;
  double ms = 0;  // of launches
};

using Name = std::pair<std::string, std::string>;  // op, kernel

// Events that fail belong to a context that is gone: their launches stay without a time.
class Trace {
 public:
  explicit Trace(std::string path) : path_(std::move(path)) {}

  // Whether the launch is timed, so that end() must follow. Whoever calls has the stream.
  bool begin(const char* op, std::string_view kernel, cudaStream_t queue) {
    const std::lock_guard lock(mutex_);
    Sum& sum = sums_[Name(op, kernel)];
    if (is_recording()) {
      ++sum.recorded;
      return false;
    }
    ++sum.launches;
    waiting_.push_back({&sum, {event(), event()}});
    cudaEventRecord(waiting_.back().events[0], queue);
    open_.push_back(waiting_.size() - 1);
    return true;
  }

  void end(cudaStream_t queue) {
    constexpr std::size_t kMostWaiting = 2048;
    const std::lock_guard lock(mutex_);
    cudaEventRecord(waiting_[open_.back()].events[1], queue);
    open_.pop_back();
    if (open_.empty() && waiting_.size() >= kMostWaiting) settle();
  }

  void write() {
    const std::lock_guard lock(mutex_);
    settle();
    std::vector<std::pair<Name, Sum>> rows(sums_.begin(), sums_.end());
    std::ranges::stable_sort(rows, std::greater(), [](const auto& row) { return row.second.ms; });
    std::ofstream file(path_);
    file << "op\tkernel\tlaunches\trecorded\ttotal ms\tmean us\n";
    for (const auto& [name, sum] : rows)
      file << name.first << '\t' << name.second << '\t' << sum.launches << '\t' << sum.recorded
           << '\t' << sum.ms << '\t'
           << (sum.launches > 0 ? 1e3 * sum.ms / static_cast<double>(sum.launches) : 0) << '\n';
    file.close();
    if (file.fail()) std::fprintf(stderr, "PLIANT_GPU_TRACE: cannot write %s\n", path_.c_str());
  }

 private:
  struct Launch {
    Sum* sum;
    std::array<cudaEvent_t, 2> events;  // before and after
  };

  cudaEvent_t event() {
    cudaEvent_t made = nullptr;
    if (spare_.empty())
      cudaEventCreate(&made);
    else
      made = spare_.back(), spare_.pop_back();
    return made;
  }

  // Waits for all launches and adds their times.
  void settle() {
    for (const Launch& launch : waiting_) {
      const auto [before, after] = launch.events;
      float ms = 0;
      if (cudaEventSynchronize(after) == cudaSuccess &&
          cudaEventElapsedTime(&ms, before, after) == cudaSuccess)
        launch.sum->ms += static_cast<double>(ms);
      spare_.insert(spare_.end(), {before, after});
    }
    waiting_.clear();
  }

  std::string path_;
  std::mutex mutex_;
  std::map<Name, Sum> sums_;
  std::vector<Launch> waiting_;    // for their times
  std::vector<std::size_t> open_;  // places in waiting_: begun, and within one another
  std::vector<cudaEvent_t> spare_;
};

// Null where no trace was asked for.
Trace* trace() {
  static Trace* const instance = [] {
    const char* const path = std::getenv("PLIANT_GPU_TRACE");
    if (path == nullptr || *path == '\0') return static_cast<Trace*>(nullptr);
    std::atexit([] { trace()->write(); });
    return new Trace(path);  // NOLINT: lives as long as the process
  }();
  return instance;
}

}  // namespace

bool cuda::is_traced() { return trace() != nullptr; }

cuda::Traced::Traced(const char* op, std::string_view kernel) {
  Trace* const there = trace();
  if (there == nullptr) return;
  queue_.emplace();
  if (!there->begin(op, kernel, *queue_)) queue_.reset();
}

cuda::Traced::~Traced() {
  if (queue_) trace()->end(*queue_);
}

}  // namespace pliant
