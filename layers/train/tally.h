// Tally: losses and right answers of many steps, added up on their device and read now and then, so
// that a captured step need not stop for them.
//
//   Tally tally(device, batch);
//   CapturedStep step = capture(device, [&] { ...; tally.add(logits, labels, loss); ... });
//   for (...) step.replay();
//   const Totals totals = tally.take();
#pragma once

#include <cstdint>

#include <pliant/autograd/var.h>

namespace pliant {

struct Totals {
  double loss_sum = 0;
  std::int64_t right = 0;
};

class Tally {
 public:
  // For at most so many rows a step, at least 1.
  Tally(Device device, std::int64_t rows);

  // logits [N C], integer labels [N], loss a scalar. The guess is the first largest logit.
  void add(const Var& logits, const Tensor& labels, const Var& loss);
  // Of a step in which nothing is right or wrong.
  void add(const Var& loss);
  // What was added since the last time. It waits for the device.
  Totals take();

 private:
  void count(std::int64_t rows, const std::int64_t* guesses, const std::int64_t* labels,
             const Var& loss);

  Tensor right_;     // int64 [rows]
  Tensor loss_sum_;  // float64 [1]
  Tensor wrong_;     // int64 [2]: a guess and another label
};

}  // namespace pliant
