// Dropout: drops elements in training, from the key of the tape.
//
//   Dropout drop = own("drop", Dropout(0.5));
//   ...
//   Tape tape({.rng = rng.fork(step)});
//   Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
//
// There is no state. Which elements a call drops is a pure function of
//   - the tape's key, TapeOptions::rng: a seed forked by the step, so that steps differ;
//     in a step that is captured a seed alone, and TapeOptions::step,
//   - the layer's path in its net, so that layers differ,
//   - `use`, a number of the caller's, so that two calls of one layer on one tape differ,
//   - the element's index in the tensor.
// Hence a block that is run a second time draws the same masks if its tape has the same key:
//   Tape again({.buffers = Buffers::keep, .rng = x.rng()});   // x: the block's input
// and a run that is resumed at a step goes on as if it had not been stopped.
#pragma once

#include <cstdint>

#include <pliant/autograd/ops/dropout.h>
#include <pliant/layers/module.h>

namespace pliant {

// Any shape -> the same, see dropout. Off the tape and on one of Mode::inference: x itself. In
// training the tape must have been given a key; with the default one every step would drop the same
// elements, so that is an Error.
class Dropout : public Module {
 public:
  explicit Dropout(double rate = 0.5);

  // Layers that no net owns have no path: on one tape they draw the same masks unless `use` tells
  // them apart.
  Var operator()(const Var& x, std::uint64_t use = 0) const;
  // The key of that call, for dropout(x, rate, key). x lies on a tape.
  Rng key(const Var& x, std::uint64_t use = 0) const;
  double rate() const { return rate_; }

 private:
  double rate_;
};

}  // namespace pliant
