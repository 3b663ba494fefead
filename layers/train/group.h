// Group: the processes that train one net together, each a rank of it.
//
//   mpirun -n 4 ./train
//
//   const Group group = Group::from_environment();   // of one, unless something started more
//   net.initialise(Rng(1));
//   group.broadcast(net);
//
// In a group of one every call does nothing and costs nothing, so a program needs no `if`.
// layers/train/data_parallel.h shares the steps of a training among the ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/tensor.h>

namespace pliant {

class Module;
class Transport;

// An Error that all ranks have at the same call, so that they can end, or go on, together.
class GroupError : public Error {
 public:
  using Error::Error;
};

class Group {
 public:
  // Of one.
  Group() = default;
  explicit Group(std::shared_ptr<Transport> transport);

  // Of what started this process: the variables RANK and WORLD_SIZE (torchrun), else SLURM_PROCID
  // and SLURM_NTASKS, else OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE or PMI_RANK and PMI_SIZE
  // (mpirun). Nothing of this, or a size of 1: a group of one. More ranks than one without MPI in
  // this build, or others than MPI's own, are an Error.
  static Group from_environment();

  // The main() of a program that may be started on many ranks: calls f with the group of the
  // environment and gives the exit status. What f throws ends all ranks, with one line on standard
  // error that names the rank.
  static int run(const std::function<void(const Group&)>& f);

  int rank() const { return rank_; }
  int size() const { return size_; }
  // Whether this rank is the one that reports, writes files and asks.
  bool leads() const { return rank_ == 0; }

  // Every rank calls these in the same order, with tensors of one shape and dtype; others are a
  // GroupError. On the CPU or a GPU, through the host's memory.
  void all_reduce(Tensor& values) const;               // sums, floating, in place
  void broadcast(Tensor& values, int root = 0) const;  // rank root's, in place
  Tensor all_gather(const Tensor& values) const;       // along axis 0, by rank
  // Sums, of which each rank gets its part along axis 0: a multiple of size() long.
  Tensor reduce_scatter(const Tensor& values) const;
  void barrier() const;
  // Rank root's parameters and buffers, in place; nets that differ in paths, shapes or dtypes are an
  // Error that names the first difference.
  void broadcast(Module& net, int root = 0) const;
  // The sum over the ranks, in their order.
  double sum(double value) const;
  std::int64_t sum(std::int64_t value) const;
  // Every rank's text, by rank.
  std::vector<std::string> all_gather(const std::string& text) const;
  // A GroupError that names the first rank that differs, unless all gave rank 0's text.
  void require_same(const std::string& what, const std::string& text) const;

  // Ends the processes of all ranks after a line with this rank's number. For what the others cannot
  // be told of in any other way.
  [[noreturn]] void abort(const std::string& why) const;

  // Null in a group of one.
  const std::shared_ptr<Transport>& transport() const& { return transport_; }

 private:
  std::shared_ptr<Transport> transport_;
  int rank_ = 0, size_ = 1;
};

}  // namespace pliant
