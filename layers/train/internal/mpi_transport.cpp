#include <pliant/layers/train/internal/transport.h>

#ifndef PLIANT_WITH_MPI

namespace pliant {
std::shared_ptr<Transport> mpi_transport() { return nullptr; }
}  // namespace pliant

#else

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <type_traits>

#include <pliant/core/error.h>
#include <pliant/core/fork_count.h>

namespace pliant {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A count of MPI's is an int: longer arrays go in pieces.
constexpr std::size_t kPiece = std::size_t{1} << 30;
// A waiting rank looks all the time, for messages move only while somebody looks, but lets others of
// this machine compute; after a while it naps, so that one which waits for long takes no processor.
constexpr int kLooks = 64;
constexpr auto kPatience = 100ms;
constexpr auto kNap = 50us;
// What all ranks give at once is mostly small: statistics of some hundred channels.
constexpr std::size_t kHead = sizeof(std::uint64_t), kSmall = 8192;
constexpr int kFewRanks = 64;
// How often a rank says that it is there, and after how long a silence it is given up.
constexpr auto kBeat = 1s;
constexpr auto kSilence = 12s;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  fail("group: ", what, ": ", std::string_view(text, static_cast<std::size_t>(length)));
}

int to_int(std::size_t n) { return static_cast<int>(n); }

template <class T>
MPI_Datatype type_of() {
  return std::is_same_v<T, float> ? MPI_FLOAT : MPI_DOUBLE;
}

// Ends the processes of all ranks; what was to be said is said.
[[noreturn]] void end_all() {
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::_Exit(1);
}

void say(int rank, const std::string& why) {
  std::fprintf(stderr, "pliant: rank %d: %s\n", rank, printable(why).c_str());
  std::fflush(stderr);
}

// Each rank tells the next one, in a ring, that it is alive; one whose process was stopped or cut off
// says nothing more, and whoever waits for it would wait for ever.
class Heartbeat {
 public:
  Heartbeat(int rank, int size) : rank_(rank), size_(size) {
    check(MPI_Comm_dup(MPI_COMM_WORLD, &ring_), "MPI_Comm_dup");
    thread_ = std::thread([this] { run(); });
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat() {
    done_ = true;
    thread_.join();
    // What is still on its way to the next one is taken when its own heart has stopped: see stop().
  }

  // All ranks are at the end: nobody listens any more.
  void stop() { stopping_ = true; }

 private:
  int before() const { return (rank_ + size_ - 1) % size_; }
  int after() const { return (rank_ + 1) % size_; }

  void run() {
    MPI_Request sent = MPI_REQUEST_NULL;
    char out = 1;
    Clock::time_point heard = Clock::now(), told = heard - kBeat;
    while (!done_) {
      const Clock::time_point now = Clock::now();
      int is_sent = 1, is_there = 0;
      if (sent != MPI_REQUEST_NULL) MPI_Test(&sent, &is_sent, MPI_STATUS_IGNORE);
      if (is_sent != 0 && now - told >= kBeat && !stopping_) {
        MPI_Isend(&out, 1, MPI_CHAR, after(), 0, ring_, &sent);
        told = now;
      }
      while (MPI_Iprobe(before(), 0, ring_, &is_there, MPI_STATUS_IGNORE), is_there != 0) {
        char in = 0;
        MPI_Recv(&in, 1, MPI_CHAR, before(), 0, ring_, MPI_STATUS_IGNORE);
        heard = now;
      }
      // This process may itself have been stopped for a while.
      if (now - last_look_ > kBeat * 3) heard = now;
      last_look_ = now;
      if (now - heard > kSilence && !stopping_) {
        say(rank_, text_from("rank ", before(), " has not been heard for ",
                             std::chrono::duration_cast<std::chrono::seconds>(now - heard).count(),
                             " s: its process is stopped, or the way to it is cut; all ranks end "
                             "here, and a training goes on from its last checkpoint"));
        end_all();
      }
      std::this_thread::sleep_for(50ms);
    }
    if (sent != MPI_REQUEST_NULL) {
      MPI_Cancel(&sent);
      MPI_Request_free(&sent);
    }
  }

  int rank_, size_;
  MPI_Comm ring_ = MPI_COMM_NULL;
  std::atomic<bool> done_ = false, stopping_ = false;
  Clock::time_point last_look_ = Clock::now();
  std::thread thread_;
};

// Of all processes that mpirun or srun started. One lives at a time, to the end of the program.
class MpiTransport : public Transport {
 public:
  MpiTransport() : unwinding_(std::uncaught_exceptions()), process_(fork_count()) {
    int given = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &given), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    require(given == MPI_THREAD_MULTIPLE,
            "group: this MPI serves one thread of a process alone (MPI_THREAD_MULTIPLE is needed)");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &sums_), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(sums_, MPI_ERRORS_RETURN);
    if (size_ > 1) heart_ = std::make_unique<Heartbeat>(rank_, size_);
  }

  // On the way out of an Error the process ends without a farewell, upon which mpirun ends the
  // others, who may wait for this one.
  ~MpiTransport() override {
    if (std::uncaught_exceptions() > unwinding_ || fork_count() != process_) return;
    if (heart_ != nullptr) {
      heart_->stop();
      MPI_Request all_here = MPI_REQUEST_NULL;
      if (MPI_Ibarrier(MPI_COMM_WORLD, &all_here) == MPI_SUCCESS) wait(all_here, "MPI_Ibarrier");
      heart_.reset();
    }
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  // In slots of one size where all fit, which most do: one message then, else their sizes in it.
  std::vector<Bytes> all_gather(std::span<const std::byte> mine) override {
    const std::size_t slot = kHead + (size_ <= kFewRanks ? kSmall : 0);
    Bytes out(slot), slots(slot * ranks());
    const std::uint64_t size = mine.size();
    std::memcpy(out.data(), &size, kHead);
    const bool fits = kHead + mine.size() <= slot;
    if (fits && !mine.empty()) std::memcpy(out.data() + kHead, mine.data(), mine.size());
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgather(out.data(), to_int(slot), MPI_BYTE, slots.data(), to_int(slot), MPI_BYTE,
                         MPI_COMM_WORLD, &request),
          "MPI_Iallgather");
    wait(request, "MPI_Iallgather");
    std::vector<std::uint64_t> sizes(ranks());
    for (std::size_t r = 0; r < ranks(); ++r)
      std::memcpy(&sizes[r], slots.data() + r * slot, kHead);
    if (*std::max_element(sizes.begin(), sizes.end()) > slot - kHead)
      return all_gather(mine, sizes);
    std::vector<Bytes> result;
    for (std::size_t r = 0; r < ranks(); ++r) {
      const auto begin = slots.begin() + static_cast<std::ptrdiff_t>(r * slot + kHead);
      result.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(sizes[r]));
    }
    return result;
  }

  void exchange(const std::vector<Outgoing>& out, const std::vector<Incoming>& in) override {
    std::vector<MPI_Request> requests;
    for (const Incoming& one : in)
      each_piece(one.bytes.size(), [&](std::size_t begin, std::size_t count) {
        requests.push_back(MPI_REQUEST_NULL);
        check(MPI_Irecv(one.bytes.data() + begin, to_int(count), MPI_BYTE, one.from, 0,
                        MPI_COMM_WORLD, &requests.back()),
              "MPI_Irecv");
      });
    for (const Outgoing& one : out)
      each_piece(one.bytes.size(), [&](std::size_t begin, std::size_t count) {
        requests.push_back(MPI_REQUEST_NULL);
        check(MPI_Isend(one.bytes.data() + begin, to_int(count), MPI_BYTE, one.to, 0,
                        MPI_COMM_WORLD, &requests.back()),
              "MPI_Isend");
      });
    for (MPI_Request& request : requests) wait(request, "MPI_Isend");
  }

  std::unique_ptr<Pending> start_all_reduce(std::span<float> values) override {
    return start(values);
  }
  std::unique_ptr<Pending> start_all_reduce(std::span<double> values) override {
    return start(values);
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    each_piece(bytes.size(), [&](std::size_t begin, std::size_t count) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(
          MPI_Ibcast(bytes.data() + begin, to_int(count), MPI_BYTE, root, MPI_COMM_WORLD, &request),
          "MPI_Ibcast");
      wait(request, "MPI_Ibcast");
    });
  }

  [[noreturn]] void abort(const std::string& why) override {
    say(rank_, why);
    end_all();
  }

 private:
  std::vector<Bytes> all_gather(std::span<const std::byte> mine,
                                const std::vector<std::uint64_t>& sizes) {
    const std::uint64_t total = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    MPI_Request request = MPI_REQUEST_NULL;
    if (total >= kPiece) return all_gather_long(mine, sizes);
    std::vector<int> counts(ranks()), starts(ranks());
    int at = 0;
    for (std::size_t r = 0; r < ranks(); ++r) {
      counts[r] = to_int(sizes[r]);
      starts[r] = at;
      at += counts[r];
    }
    Bytes all(total);
    if (total > 0) {
      check(MPI_Iallgatherv(mine.data(), to_int(mine.size()), MPI_BYTE, all.data(), counts.data(),
                            starts.data(), MPI_BYTE, MPI_COMM_WORLD, &request),
            "MPI_Iallgatherv");
      wait(request, "MPI_Iallgatherv");
    }
    std::vector<Bytes> result;
    for (std::size_t r = 0; r < ranks(); ++r) {
      const auto begin = all.begin() + starts[r];
      result.emplace_back(begin, begin + counts[r]);
    }
    return result;
  }

  std::vector<Bytes> all_gather_long(std::span<const std::byte> mine,
                                     const std::vector<std::uint64_t>& sizes) {
    std::vector<Bytes> result;
    for (const std::uint64_t size : sizes) result.emplace_back(size);
    std::vector<Outgoing> out;
    std::vector<Incoming> in;
    for (int r = 0; r < size_; ++r) {
      if (r == rank_) continue;
      out.push_back({r, mine});
      in.push_back({r, result[static_cast<std::size_t>(r)]});
    }
    exchange(out, in);
    std::copy(mine.begin(), mine.end(), result[static_cast<std::size_t>(rank_)].begin());
    return result;
  }

  std::size_t ranks() const { return static_cast<std::size_t>(size_); }

  template <class F>
  static void each_piece(std::size_t bytes, F f) {
    for (std::size_t at = 0; at < bytes; at += kPiece) f(at, std::min(kPiece, bytes - at));
  }

  static bool test(MPI_Request& request, const char* what) {
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), what);
    return done != 0;
  }
  static void wait(MPI_Request& request, const char* what) {
    for (int look = 0; look < kLooks; ++look)
      if (test(request, what)) return;
    for (const Clock::time_point start = Clock::now(); !test(request, what);)
      if (Clock::now() - start < kPatience)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(kNap);
  }

  template <class T>
  std::unique_ptr<Pending> start(std::span<T> values) {
    struct Reduction : Pending {
      bool poke() override {
        while (!requests.empty() && test(requests.back(), "MPI_Iallreduce")) requests.pop_back();
        return requests.empty();
      }
      void finish() override {
        for (MPI_Request& request : requests) wait(request, "MPI_Iallreduce");
        requests.clear();
      }
      std::vector<MPI_Request> requests;
    };
    auto reduction = std::make_unique<Reduction>();
    each_piece(values.size_bytes(), [&](std::size_t begin, std::size_t count) {
      reduction->requests.push_back(MPI_REQUEST_NULL);
      check(
          MPI_Iallreduce(MPI_IN_PLACE, values.data() + begin / sizeof(T), to_int(count / sizeof(T)),
                         type_of<T>(), MPI_SUM, sums_, &reduction->requests.back()),
          "MPI_Iallreduce");
    });
    return reduction;
  }

  int rank_ = 0, size_ = 1;
  // Sums begin on each rank when it has what to add: before or after other calls of a step.
  MPI_Comm sums_ = MPI_COMM_NULL;
  int unwinding_;
  std::uint64_t process_;  // a child that was forked has no part in this
  std::unique_ptr<Heartbeat> heart_;
};

}  // namespace

std::shared_ptr<Transport> mpi_transport() {
  static std::mutex mutex;
  static std::weak_ptr<Transport> living;
  static bool was_there = false;
  const std::lock_guard lock(mutex);
  if (std::shared_ptr<Transport> transport = living.lock()) return transport;
  require(!was_there,
          "group: the group of this program has ended, and MPI begins but once: keep it "
          "to the end of main()");
  auto transport = std::make_shared<MpiTransport>();
  was_there = true;
  living = transport;
  return transport;
}

}  // namespace pliant

#endif
