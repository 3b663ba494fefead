#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include <pliant/core/error.h>
#include <pliant/layers/train/internal/transport.h>

namespace pliant {
namespace {

// Where the ranks meet: the last to come does what there is to do for all.
class Room {
 public:
  explicit Room(int size) : size_(static_cast<std::size_t>(size)), given_(size_) {}

  std::size_t size() const { return size_; }

  // Every rank gives `mine`; all get what `of_all` makes of them, by rank.
  std::vector<Bytes> meet(std::size_t rank, Bytes mine) {
    std::unique_lock lock(mutex_);
    require(!closed_, "rank ", closed_by_, " has failed");
    given_[rank] = std::move(mine);
    const std::uint64_t round = round_;
    if (++here_ == size_) {
      here_ = 0;
      ++round_;
      result_ = given_;
      all_here_.notify_all();
    } else {
      all_here_.wait(lock, [&] { return round_ != round || closed_; });
      require(round_ != round, "rank ", closed_by_, " has failed");
    }
    return result_;
  }

  void close(std::size_t rank) {
    const std::lock_guard lock(mutex_);
    if (!closed_) closed_by_ = rank;
    closed_ = true;
    all_here_.notify_all();
  }

 private:
  std::size_t size_, here_ = 0, closed_by_ = 0;
  std::uint64_t round_ = 0;
  bool closed_ = false;
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::vector<Bytes> given_, result_;
};

class ThreadTransport : public Transport {
 public:
  ThreadTransport(Room& room, int rank) : room_(room), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(room_.size()); }

  std::vector<Bytes> all_gather(std::span<const std::byte> mine) override {
    return room_.meet(static_cast<std::size_t>(rank_), {mine.begin(), mine.end()});
  }

  void exchange(const std::vector<Outgoing>& out, const std::vector<Incoming>& in) override {
    Bytes packed;  // for whom, how long, and the message
    const auto put = [&packed](const void* from, std::size_t size) {
      const auto* const bytes = static_cast<const std::byte*>(from);
      packed.insert(packed.end(), bytes, bytes + size);
    };
    for (const Outgoing& one : out) {
      const std::uint64_t head[] = {static_cast<std::uint64_t>(one.to), one.bytes.size()};
      put(head, sizeof head);
      put(one.bytes.data(), one.bytes.size());
    }
    const std::vector<Bytes> all = all_gather(packed);
    std::vector<std::size_t> at(all.size(), 0);
    for (const Incoming& one : in) {
      const auto from = static_cast<std::size_t>(one.from);
      std::uint64_t head[2];
      while (true) {
        require(at[from] + sizeof head <= all[from].size(), "exchange: rank ", from,
                " sent too few messages");
        std::memcpy(head, all[from].data() + at[from], sizeof head);
        at[from] += sizeof head;
        if (head[0] == static_cast<std::uint64_t>(rank_)) break;
        at[from] += head[1];
      }
      require(head[1] == one.bytes.size(), "exchange: rank ", from, " sent ", head[1],
              " bytes, expected ", one.bytes.size());
      if (head[1] > 0) std::memcpy(one.bytes.data(), all[from].data() + at[from], head[1]);
      at[from] += head[1];
    }
  }

  std::unique_ptr<Pending> start_all_reduce(std::span<float> values) override {
    return started(values);
  }
  std::unique_ptr<Pending> start_all_reduce(std::span<double> values) override {
    return started(values);
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    const std::vector<Bytes> all = all_gather(rank_ == root ? bytes : std::span<std::byte>());
    const Bytes& given = all[static_cast<std::size_t>(root)];
    std::copy(given.begin(), given.end(), bytes.begin());
  }

  [[noreturn]] void abort(const std::string& why) override {
    room_.close(static_cast<std::size_t>(rank_));
    fail("rank ", rank_, ": ", why);
  }

 private:
  template <class T>
  void sum(std::span<T> values) {
    const std::vector<Bytes> all = all_gather(std::as_bytes(values));
    std::fill(values.begin(), values.end(), T(0));
    for (const Bytes& one : all) {
      require(one.size() == values.size_bytes(), "all_reduce: ranks gave ", one.size(), " and ",
              values.size_bytes(), " bytes");
      const auto* const terms = reinterpret_cast<const T*>(one.data());
      for (std::size_t i = 0; i < values.size(); ++i) values[i] += terms[i];
    }
  }

  // At finish(): all ranks finish in the order in which they start.
  template <class T>
  std::unique_ptr<Pending> started(std::span<T> values) {
    struct Later : Pending {
      Later(ThreadTransport& by, std::span<T> of) : transport(by), values(of) {}
      bool poke() override { return false; }
      void finish() override { transport.sum(values); }
      ThreadTransport& transport;
      std::span<T> values;
    };
    return std::make_unique<Later>(*this, values);
  }

  Room& room_;
  int rank_;
};

}  // namespace

void on_thread_ranks(int size, const std::function<void(const std::shared_ptr<Transport>&)>& f) {
  require(size >= 1, "on_thread_ranks: ", size, " ranks");
  Room room(size);
  std::vector<std::thread> threads;
  std::mutex first_mutex;
  std::exception_ptr first;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      try {
        f(std::make_shared<ThreadTransport>(room, rank));
      } catch (...) {
        {
          const std::lock_guard lock(first_mutex);
          if (!first) first = std::current_exception();
        }
        room.close(static_cast<std::size_t>(rank));
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace pliant
