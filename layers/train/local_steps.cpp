#include <pliant/layers/train/local_steps.h>

#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {
namespace {

constexpr const char *kAnchor = "/anchor", *kMomentum = "/momentum";

}  // namespace

LocalSteps::LocalSteps(const Group& group, Module& net, const LocalStepsOptions& options)
    : group_(group), net_(net), options_(options) {
  require(options.every >= 1, "LocalSteps: a meeting every ", options.every,
          " steps, expected at least 1");
  require(options.lr > 0 && std::isfinite(options.lr), "LocalSteps: lr is ", options.lr,
          ", expected a number above 0");
  require(options.momentum >= 0 && options.momentum < 1, "LocalSteps: momentum is ",
          options.momentum, ", expected 0 to below 1");
  for (const Parameter& parameter : net.parameters()) {
    require(parameter.value().defined(), "LocalSteps: ", parameter.name(),
            " has no tensor; initialise the net first");
    if (!parameter.frozen())
      slots_.push_back({parameter, parameter.value().clone(),
                        Tensor::zeros(parameter.value().shape(), parameter.value().dtype(),
                                      parameter.value().device())});
  }
}

Tensor LocalSteps::mean(const Tensor& mine) const {
  Tensor sum = mine.clone();
  group_.all_reduce(sum);
  return (Var(sum) / group_.size()).value();
}

bool LocalSteps::step() {
  if (++steps_ % options_.every != 0) return false;
  meet();
  return true;
}

void LocalSteps::meet() {
  for (Slot& slot : slots_) {
    const Var away = Var(slot.anchor) - mean(slot.parameter.value());
    const Var momentum = slot.momentum * options_.momentum + away;
    slot.momentum = momentum.value();
    slot.anchor = (Var(slot.anchor) - (away + momentum * options_.momentum) * options_.lr).value();
    Tensor value = slot.parameter.value();  // the same storage
    value.copy_from(slot.anchor);
  }
  for (const Buffer& buffer : net_.buffers())
    if (is_floating(buffer.value().dtype())) {
      Tensor value = buffer.value();
      value.copy_from(mean(value));
    }
}

State LocalSteps::state() const {
  State state;
  for (const Slot& slot : slots_) {
    state.emplace_back(slot.parameter.name() + kAnchor, slot.anchor.clone());
    state.emplace_back(slot.parameter.name() + kMomentum, slot.momentum.clone());
  }
  return state;
}

void LocalSteps::load(const State& state, std::int64_t steps) {
  require(steps >= 0, "LocalSteps: ", steps, " steps");
  require(state.size() == 2 * slots_.size(), "LocalSteps: the state has ", state.size(),
          " tensors, expected ", 2 * slots_.size());
  for (std::size_t i = 0; i < state.size(); ++i) {  // all is looked at before anything changes
    const Slot& slot = slots_[i / 2];
    const std::string path = slot.parameter.name() + (i % 2 == 0 ? kAnchor : kMomentum);
    const Tensor& value = slot.parameter.value();
    const auto& [name, tensor] = state[i];
    require(name == path, "LocalSteps: the state has ", name, " where ", path, " is expected");
    require(tensor.defined() && tensor.shape() == value.shape() && tensor.dtype() == value.dtype(),
            "LocalSteps: ", name, " does not fit the parameter, ", value.dtype(), ' ',
            value.shape());
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Device device = slots_[i].anchor.device();
    slots_[i].anchor = state[2 * i].second.to(device).clone();
    slots_[i].momentum = state[2 * i + 1].second.to(device).clone();
  }
  steps_ = steps;
}

}  // namespace pliant
