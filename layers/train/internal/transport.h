// Transport: how the ranks of a Group reach one another. All ranks make the same calls in the same
// order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

using Bytes = std::vector<std::byte>;

// The elements of a tensor on the CPU, which must outlive what this gives; a view will do.
inline std::span<const std::byte> bytes_of(const Tensor& on_host) {
  return {static_cast<const std::byte*>(on_host.raw()), static_cast<std::size_t>(on_host.bytes())};
}
inline std::span<std::byte> writable(Tensor on_host) {
  return {static_cast<std::byte*>(on_host.mutable_raw()),
          static_cast<std::size_t>(on_host.bytes())};
}

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // What every rank gave, by rank; of any sizes.
  virtual std::vector<Bytes> all_gather(std::span<const std::byte> mine) = 0;
  // Messages from memory to memory, of any length; those from one rank to another arrive in order,
  // and have the length that is expected.
  struct Outgoing {
    int to;
    std::span<const std::byte> bytes;
  };
  struct Incoming {
    int from;
    std::span<std::byte> bytes;
  };
  virtual void exchange(const std::vector<Outgoing>& out, const std::vector<Incoming>& in) = 0;
  // Sums over all ranks in place, in no order to rely on, in the background: `values` stay where they
  // are until finish() of what this returns.
  class Pending {
   public:
    Pending() = default;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    virtual ~Pending() = default;
    virtual bool poke() = 0;  // lets it move on; true once it is done
    virtual void finish() = 0;
  };
  virtual std::unique_ptr<Pending> start_all_reduce(std::span<float> values) = 0;
  virtual std::unique_ptr<Pending> start_all_reduce(std::span<double> values) = 0;
  template <class T>
  void all_reduce(std::span<T> values) {
    start_all_reduce(values)->finish();
  }
  // Rank `root`'s bytes, which are of one size everywhere.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;

  // Ends all ranks: what this one found stands on the terminal.
  [[noreturn]] virtual void abort(const std::string& why) = 0;
};

// Started by MPI's mpirun or srun: of all its ranks. Null where this build has no MPI.
std::shared_ptr<Transport> mpi_transport();

// Ranks that are threads of this process, for tests of what is built on a transport: calls f(rank's
// transport) on a thread each and returns when all are done; what one throws comes out, the others'
// calls being Errors from then on.
void on_thread_ranks(int size, const std::function<void(const std::shared_ptr<Transport>&)>& f);

}  // namespace pliant
