// LocalSteps: ranks that train by themselves and meet now and then (local SGD, Stich 2019; with an
// outer momentum DiLoCo, Douillard et al. 2023).
//
//   LocalSteps local(group, net, {.every = 50, .lr = 0.7, .momentum = 0.9});
//   for (..) {
//     adam.step(tape.gradients(loss));   // of this rank's own batch
//     local.step();                      // every 50th: all ranks have one net again
//   }
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/layers/module.h>
#include <pliant/layers/train/group.h>

namespace pliant {

// With lr 1 and momentum 0 the ranks' parameters are averaged.
struct LocalStepsOptions {
  std::int64_t every = 50;  // steps between meetings
  double lr = 1;            // of the outer step
  double momentum = 0;      // of the outer step, Nesterov's
};

// At a meeting, with p the parameters that all began with and q the mean of what the ranks have:
//   v = momentum v + (p - q),   p = p - lr (p - q + momentum v)
// and all go on from p. Floating buffers are averaged. In a group of one as well, where it is the
// outer optimizer alone (Lookahead, Zhang et al. 2019, with momentum 0 and lr below 1).
class LocalSteps {
 public:
  // The net, which must outlive this and be filled, is to be the same on all ranks.
  LocalSteps(const Group& group, Module& net, const LocalStepsOptions& options = {});

  // After every step of this rank's optimizer; all ranks take as many. True where the ranks met.
  bool step();
  std::int64_t steps() const { return steps_; }

  // What it remembers, by paths of the net: the parameters of the last meeting, and the momentum.
  State state() const;
  void load(const State& state, std::int64_t steps);

 private:
  struct Slot {
    Parameter parameter;
    Tensor anchor, momentum;
  };
  Tensor mean(const Tensor& mine) const;
  void meet();

  Group group_;
  Module& net_;
  LocalStepsOptions options_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;
};

}  // namespace pliant
