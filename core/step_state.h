// StepState: how far a training is, kept where its kernels run, for steps that are captured (see
// capture.h). The learning rate, the random keys and the batch of a step follow from its number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <pliant/core/tensor.h>

namespace pliant {

struct StepStateOptions {
  std::function<double(std::int64_t)> lr = {};  // of step 0, 1, ..: a Schedule
  std::int64_t steps = 0;                       // in all
  std::int64_t number = 0;                      // where to begin
};

// Copies are handles of one state.
class StepState {
 public:
  StepState() = default;  // undefined
  StepState(Device device, StepStateOptions options);

  bool defined() const { return node_ != nullptr; }
  Device device() const;
  std::int64_t number() const;  // steps done, as the host knows it
  std::int64_t steps() const;
  double lr(std::int64_t step) const;

  // The last thing a step does: the next one has the next number. An Error after the last step.
  void advance() const;
  // The number on the device [1], which kernels read.
  const Tensor& counter() const&;
  Tensor counter() && { return std::as_const(*this).counter(); }

 private:
  struct Node;
  const Node& node() const;
  std::shared_ptr<Node> node_;
};

}  // namespace pliant
