#include <pliant/core/step_state.h>

#include <limits>

#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/step_state.h>

namespace pliant {

struct StepState::Node {
  StepStateOptions options;
  std::int64_t number;
  Tensor counter;
};

StepState::StepState(Device device, StepStateOptions options) {
  require(options.lr != nullptr, "StepState: there is no learning rate");
  require(0 <= options.number && options.number <= options.steps, "StepState: step ",
          options.number, " is not in [0, steps = ", options.steps, "]");
  // An optimizer makes a table of all steps.
  require(options.steps <= std::numeric_limits<std::int32_t>::max(), "StepState: ", options.steps,
          " steps, expected at most 2^31 - 1");
  const std::int64_t number = options.number;
  node_ = std::make_shared<Node>(
      Node{std::move(options), number, Tensor::from<std::int64_t>({number}, {1}).to(device)});
}

const StepState::Node& StepState::node() const {
  require(defined(), "StepState: it is undefined (made by the default constructor)");
  return *node_;
}

Device StepState::device() const { return node().counter.device(); }
std::int64_t StepState::number() const { return node().number; }
std::int64_t StepState::steps() const { return node().options.steps; }
double StepState::lr(std::int64_t step) const { return node().options.lr(step); }
const Tensor& StepState::counter() const& { return node().counter; }

void StepState::advance() const {
  node();
  at_every_replay([node = node_] {
    require(node->number < node->options.steps, "StepState: all ", node->options.steps,
            " steps are done");
    ++node->number;
  });
  kernel<NextStep, cpu::next_step, cuda::next_step>(
      "StepState", device())(node_->counter.mutable_data<std::int64_t>());
}

}  // namespace pliant
