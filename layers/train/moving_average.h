// MovingAverage: an exponential moving average of a net's weights, which often measures better than
// the weights themselves (Polyak and Juditsky 1992).
//
//   MovingAverage average(net, {.decay = 0.999});
//   for (..) { adam.step(tape.gradients(loss)); average.update(); }
//   {
//     const AveragedWeights averaged(average);  // the net holds the average in this block
//     measure(net);
//   }
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/layers/module.h>

namespace pliant {

struct MovingAverageOptions {
  double decay = 0.999;  // in [0, 1)
  // The decay of update number t = 1, 2, .. is at most t / (9 + t), so that a short training is not
  // ruled by its first values.
  bool warm_up = false;
};

// average = decay * average + (1 - decay) * value, from the values at construction, over every
// parameter (frozen ones too) and floating buffer of a net, which must be filled: BatchNorm's
// running statistics must fit the weights that they are used with. The net must stay on its device
// and in its dtype. The averages have that dtype, as in PyTorch's AveragedModel: a float32 one comes
// as near to a value that stays as 2^-24 / (1 - decay) of its size (6e-5 with 0.999, 6e-4 with
// 0.9999) and stands still there, since the steps round to nothing. A net to(DType::float64) averages
// to 1e-16 / (1 - decay).
class MovingAverage {
 public:
  explicit MovingAverage(const Module& net, const MovingAverageOptions& options = {});

  // Once after every step of the optimizer.
  void update();
  std::int64_t updates() const { return updates_; }

  // Exchanges the net's values and the averages, in place: the net holds the averages until the
  // next swap. Meanwhile update(), weights(), state() and load() are Errors.
  void swap();
  bool swapped() const { return swapped_; }

  // A copy of the averages by path: what net.load() takes.
  State weights() const;
  // The same and "/updates": for going on later.
  State state() const;
  // A state() of the same net; anything else is an Error, and then nothing is changed.
  void load(const State& state);

 private:
  struct Pair {
    Buffer value;
    Tensor average;
  };
  void require_not_swapped(const char* what) const;
  void require_unchanged() const;

  std::vector<Pair> pairs_;  // in the order of the net's state
  MovingAverageOptions options_;
  std::int64_t updates_ = 0;
  bool swapped_ = false;
  Tensor between_;  // uint8, for swap()
};

// The net holds the averages while this lives; one at a time. The net must stay on its device and
// in its dtype meanwhile, or it keeps them, which standard error is told.
class AveragedWeights {
 public:
  explicit AveragedWeights(MovingAverage& average);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  MovingAverage& average_;
};

}  // namespace pliant
