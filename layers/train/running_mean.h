// RunningMean: a mean over batches of any size, each weighted by its count.
//
//   RunningMean loss;
//   for (..) loss.add(batch_loss, labels.size());
//   std::cout << loss.value();
#pragma once

#include <cstdint>

#include <pliant/autograd/var.h>

namespace pliant {

// Sums are held in float64 on the device of the first value. Adding does not wait for the device
// and may be part of a captured step; value() and count() do wait.
class RunningMean {
 public:
  // The mean, a scalar, of `count` things: a loss, an accuracy. Of none nothing is added, be the
  // mean NaN.
  void add(const Var& mean, std::int64_t count = 1);
  void add(double mean, std::int64_t count = 1);
  void reset();

  double value() const;  // of nothing NaN
  std::int64_t count() const;

 private:
  Tensor sums_;  // float64 [2]: of count * mean, and of the counts
};

}  // namespace pliant
