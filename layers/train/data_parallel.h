// DataParallel: the steps of a training shared among the ranks of a Group, and among parts.
//
//   const Group group = Group::from_environment();
//   DataParallel parallel(group, net);
//   Loader loader(set, collate, parallel.share({.size = 8, .parts = 12}));
//   for (const auto& step : loader.steps(epoch))
//     adam.step(parallel.gradients(step.share, step.batches, {.rng = rng.fork(number++)},
//                                  [&](const Tape& tape, const LabelledImages& part) {
//       return softmax_cross_entropy(net(tape.input(part.images)), part.labels);
//     }));
//
// A step's batch is cut into parts, here 12 of 8 images, and each rank computes some of them. What
// couples images sees all of them (autograd/batch_part.h), random layers draw for each image what
// they would have drawn in one piece, and the parts' gradients are added up in a tree whose form
// depends on the number of parts alone: the same bits for 1, 2, 3, 4, 6 and 12 ranks, and for any
// other number. The price beside one piece: smaller products, and one exchange for each batch
// normalisation and direction.
//
// With GradientSums::fast gradients are added up by the transport, in whatever order, and travel
// while the layers before are still at work if each rank has one part: the usual way, reproducible
// for one number of ranks on one machine at best.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <pliant/autograd/tape.h>
#include <pliant/core/step_share.h>
#include <pliant/layers/module.h>
#include <pliant/layers/train/group.h>

namespace pliant {

enum class GradientSums : unsigned char {
  strict,  // the same bits for any number of ranks
  fast,    // rounding differs with it
};

struct DataParallelOptions {
  GradientSums sums = GradientSums::strict;
  // Whether batch normalisation and cross-entropy see the whole step's batch. If not, each part is a
  // batch of its own, computed one after another in the memory of one; running statistics are those
  // of the step's first part.
  bool coupled = true;
  std::int64_t bucket_bytes =
      1 << 22;  // of gradients that travel together, with GradientSums::fast
};

// What a step's communication took, in seconds and bytes of this rank.
struct Communication {
  double in_flight = 0;  // from the start of each exchange of gradients to its end
  double waited = 0;     // of this, with nothing else to do
  std::int64_t bytes = 0;

  // The share that other work hid.
  double hidden() const { return in_flight > 0 ? 1 - waited / in_flight : 0; }
  Communication& operator+=(const Communication& other) {
    in_flight += other.in_flight;
    waited += other.waited;
    bytes += other.bytes;
    return *this;
  }
};

class DataParallel {
 public:
  // The net, which must outlive this, is to be the same on all ranks: group.broadcast(net).
  DataParallel(const Group& group, const Module& net, const DataParallelOptions& options = {});
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  const Group& group() const { return group_; }

  // Options of a loader (data/loader.h), or of anything like it, with this rank's place in them.
  template <class Options>
  Options share(Options options) const {
    options.rank = group_.rank();
    options.ranks = group_.size();
    return options;
  }

  // Gradients of the mean over the step's samples, the same on all ranks: f(tape, batch) is the mean
  // loss of one of this rank's parts. All ranks call it at the same time. Parts are computed one at a
  // time; where they are coupled, in turns from one batch normalisation to the next, on threads of
  // their own. An Error of one rank is one of all, which names it; with GradientSums::fast and gradients on
  // their way it ends all ranks' processes.
  template <class Batch, class F>
  Gradients gradients(const StepShare& share, const std::vector<Batch>& batches,
                      const TapeOptions& tape, F&& f) {
    require(batches.size() == share.mine.size(), "DataParallel: ", batches.size(),
            " batches for a share of ", share.mine.size(), " parts");
    return run(share, tape,
               [&](const Tape& on, std::size_t part) -> Var { return f(on, batches[part]); });
  }

  // Of the last step: the mean loss over its samples, the same on all ranks.
  double loss() const { return loss_; }
  const Communication& communication() const& { return communication_; }  // of all steps so far

 private:
  class Step;
  using PartLoss = std::function<Var(const Tape&, std::size_t part)>;
  Gradients run(const StepShare& share, const TapeOptions& tape, const PartLoss& f);

  Group group_;
  const Module& net_;
  DataParallelOptions options_;
  double loss_ = 0;
  Communication communication_;
};

}  // namespace pliant
