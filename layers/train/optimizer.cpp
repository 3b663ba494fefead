#include <pliant/layers/train/optimizer.h>

#include <cmath>
#include <iostream>
#include <set>
#include <type_traits>

#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/paths.h>
#include <pliant/layers/train/state_reader.h>

namespace pliant {
namespace {

std::string names_of(const Gradients& gradients) {
  std::vector<std::string> names;
  for (const Gradients::Entry& entry : gradients.entries()) names.push_back(entry.parameter.name());
  return names.empty() ? "no parameter" : listed(names, 4);
}

}  // namespace

Optimizer::Optimizer(const char* name, std::vector<const char*> memory_names,
                     const std::vector<ParameterGroup>& groups, double lr, double weight_decay,
                     const std::vector<std::string>& may_lack)
    : name_(name), memory_names_(std::move(memory_names)) {
  set_lr(lr);
  std::set<std::uint64_t> seen;
  std::vector<std::string> paths;
  for (const ParameterGroup& group : groups) {
    const double decay = group.weight_decay.value_or(weight_decay);
    require(decay >= 0 && group.lr_factor >= 0 && std::isfinite(group.lr_factor), name_,
            ": weight decay ", decay, " and factor ", group.lr_factor,
            ", expected numbers of at least 0");
    for (const Parameter& parameter : group.parameters) {
      require(parameter.defined(), name_, ": parameter ", paths.size(), " is undefined");
      require(seen.insert(parameter.id()).second, name_, ": the parameter ", parameter.name(),
              " is given twice");
      slots_.push_back(
          {parameter, group.lr_factor, decay, any_path_matches(may_lack, parameter.name()), 0, {}});
      paths.push_back(parameter.name());
    }
  }
  require(!slots_.empty(), name_, ": it was given no parameters; a net ",
          "has those of the layers that it takes in by own(\"name\", layer)");
  check_may_lack(name_, may_lack, paths);
}

void Optimizer::set_lr(double lr) {
  require(lr >= 0 && std::isfinite(lr), name_, ": the learning rate ", lr, " is not a number >= 0");
  lr_ = lr;
}

void Optimizer::check(const Slot& slot, const Tensor& gradient) const {
  const Tensor& value = slot.parameter.value();
  require(gradient.shape() == value.shape() && gradient.dtype() == value.dtype() &&
              gradient.device() == value.device(),
          name_, ": the gradient of ", slot.parameter.name(), " is ", gradient.dtype(), ' ',
          gradient.shape(), " on ", gradient.device(), ", the parameter ", value.dtype(), ' ',
          value.shape(), " on ", value.device());
  if (by_state_)
    require(state_.device() == value.device(), name_, ": the StepState is on ", state_.device(),
            ", the parameter ", slot.parameter.name(), " on ", value.device());
}

// For what is remembered, where the parameter lives.
void Optimizer::make_room(Slot& slot) const {
  const Tensor& value = slot.parameter.value();
  std::vector<Tensor> memory = slot.memory;
  memory.resize(memory_names_.size());
  for (Tensor& one : memory)
    one = one.defined() ? one.to(value.dtype()).to(value.device())
                        : Tensor::zeros(value.shape(), value.dtype(), value.device());
  slot.memory = std::move(memory);
}

// Tells of each once.
void Optimizer::report(const std::vector<Slot*>& lacking) {
  std::vector<std::string> paths;
  for (Slot* slot : lacking) paths.push_back(slot->parameter.name());
  std::cerr << "pliant: " + std::string(name_) + ": no gradient for " + listed(paths) +
                   ": left off the tape, or the loss does not depend on it (docs/autograd.md); "
                   "if that is meant, freeze or name in may_lack\n";
  for (Slot* slot : lacking) slot->may_lack = true;
}

void Optimizer::step(const Gradients& gradients) {
  require_not_recording(name_);
  by_state_ = false;
  step_all(gradients);
}

void Optimizer::step(const Gradients& gradients, const StepState& state) {
  require(state.number() < state.steps(), name_, ": all ", state.steps(), " steps are done");
  if (!state_.defined() || !state_.counter().shares_storage_with(state.counter())) tables_.clear();
  state_ = state;
  by_state_ = true;
  step_all(gradients);
}

void Optimizer::step_all(const Gradients& gradients) {
  std::vector<std::pair<std::size_t, const Tensor*>> moving;
  std::vector<Slot*> lacking;
  bool any = false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const Tensor* const gradient = gradients.find(slot.parameter);
    any = any || gradient != nullptr;
    if (slot.parameter.frozen()) continue;
    if (gradient != nullptr) {
      check(slot, *gradient);
      moving.emplace_back(i, gradient);
    } else if (!slot.may_lack) {
      lacking.push_back(&slot);
    }
  }
  require(any || lacking.empty(), name_, ": none of its parameters has a gradient, be it ",
          lacking.empty() ? "" : lacking.front()->parameter.name(), "; there are gradients of ",
          names_of(gradients));
  if (!lacking.empty()) report(lacking);
  std::vector<Move> moves;
  std::vector<std::size_t> moved;
  for (const auto& [i, gradient] : moving) {
    make_room(slots_[i]);
    moves.push_back(update(slots_[i], *gradient));
    moved.push_back(i);
  }
  // A recording reads the tables for as long as it is replayed.
  std::function<void()> count = [this, moved = std::move(moved), tables = tables_] {
    for (const std::size_t i : moved) ++slots_[i].steps;
  };
  for (const Move& move : moves) move();
  at_every_replay(std::move(count));
}

template <class S, class Make>
OfStep<S> Optimizer::of_step(const Slot& slot, Make make) {
  static_assert(std::is_trivially_copyable_v<S>);
  const double factor = slot.lr_factor, own = slot.parameter.lr_factor();
  if (!by_state_) return {make(lr_ * factor * own, slot.steps + 1)};
  const Tensor& value = slot.parameter.value();
  const std::int64_t first = state_.number(), lead = slot.steps - first;
  Table& table = tables_[{value.dtype(), factor, own, slot.weight_decay, lead}];
  if (!table.constants.defined()) {
    std::vector<S> all;
    for (std::int64_t i = first; i < state_.steps(); ++i)
      all.push_back(make(state_.lr(i) * factor * own, lead + i + 1));
    const auto bytes = static_cast<std::int64_t>(all.size() * sizeof(S));
    table = {Tensor::wrap(reinterpret_cast<std::uint8_t*>(all.data()), {bytes})
                 .clone()
                 .to(value.device()),
             first};
  }
  return {{},
          reinterpret_cast<const S*>(table.constants.data<std::uint8_t>()),
          state_.counter().data<std::int64_t>(),
          table.first};
}

// ---- state ----

State Optimizer::state() const {
  State state;
  std::set<std::string> paths;
  for (const Slot& slot : slots_) {
    const std::string& path = slot.parameter.name();
    require(!path.empty() && paths.insert(path).second, name_, ": the path '", path,
            "' names no parameter or more than one; its state cannot be kept by path");
    if (slot.steps == 0) continue;
    state.emplace_back(path + "/steps", Tensor::from<std::int64_t>({slot.steps}, {}));
    for (std::size_t i = 0; i < slot.memory.size(); ++i)
      state.emplace_back(path + "/" + memory_names_[i], slot.memory[i].clone());
  }
  return state;
}

void Optimizer::load(const State& state) {
  StateReader given(name_, state);
  std::vector<Slot> slots = slots_;
  for (Slot& slot : slots) {
    const std::string& path = slot.parameter.name();
    slot.steps = 0;
    slot.memory.clear();
    if (!given.contains(path + "/steps")) continue;
    const double steps = given.take(path + "/steps", {}).item();
    require(steps >= 1 && steps <= 0x1p53, name_, ": ", path, "/steps is ", steps,
            ", expected 1 to 2^53");
    slot.steps = static_cast<std::int64_t>(steps);
    for (const char* name : memory_names_) {
      const Tensor tensor = given.take(path + "/" + name, slot.parameter.shape());
      require(is_floating(tensor.dtype()), name_, ": ", path, "/", name, " is ", tensor.dtype());
      slot.memory.push_back(tensor.clone());
    }
  }
  given.require_all_taken();
  slots_ = std::move(slots);
}

// ---- Sgd ----

Sgd::Sgd(const std::vector<ParameterGroup>& groups, const SgdOptions& options)
    : Optimizer(
          "Sgd",
          options.momentum == 0 ? std::vector<const char*>{} : std::vector<const char*>{"momentum"},
          groups, options.lr, options.weight_decay, options.may_lack),
      options_(options) {
  require(options.momentum >= 0, "Sgd: momentum ", options.momentum, " must not be negative");
  require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
          "Sgd: nesterov needs a momentum above 0 and no dampening, got ", options.momentum,
          " and ", options.dampening);
}

Optimizer::Move Sgd::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("Sgd", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<SgdStep<T>>(slot, [&](double lr, std::int64_t t) {
      return SgdStep<T>{.lr = static_cast<T>(lr),
                        .momentum = static_cast<T>(options_.momentum),
                        .dampening = static_cast<T>(options_.dampening),
                        .weight_decay = static_cast<T>(slot.weight_decay),
                        .nesterov = options_.nesterov,
                        .first = t == 1};
    });
    return [&slot, &gradient, step,
            run = kernel<SgdKernel<T>, cpu::sgd_step, cuda::sgd_step>("Sgd", value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory.empty() ? nullptr : slot.memory[0].mutable_data<T>());
    };
  });
}

// ---- Adam and AdamW ----

Adam::Adam(const char* name, Decay decay, const std::vector<ParameterGroup>& groups,
           const AdamOptions& options)
    : Optimizer(name, {"first_moment", "second_moment"}, groups, options.lr, options.weight_decay,
                options.may_lack),
      name_(name),
      decay_(decay),
      options_(options) {
  require(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1, name,
          ": beta1 ", options.beta1, " and beta2 ", options.beta2, " must lie in [0, 1)");
  require(options.eps >= 0, name, ": eps ", options.eps, " must not be negative");
}

Optimizer::Move Adam::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  const double beta1 = options_.beta1, beta2 = options_.beta2;
  const bool decoupled = decay_ == Decay::decoupled;
  return visit_floating(name_, value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<AdamStep<T>>(slot, [&](double lr, std::int64_t steps) {
      const auto t = static_cast<double>(steps);
      const double correction1 = 1 - std::pow(beta1, t), root2 = std::sqrt(1 - std::pow(beta2, t));
      return AdamStep<T>{.rate = static_cast<T>(lr * root2 / correction1),
                         .floor = static_cast<T>(options_.eps * root2),
                         .beta1 = static_cast<T>(beta1),
                         .one_minus_beta1 = static_cast<T>(1 - beta1),
                         .beta2 = static_cast<T>(beta2),
                         .one_minus_beta2 = static_cast<T>(1 - beta2),
                         .weight_decay = decoupled ? T(0) : static_cast<T>(slot.weight_decay),
                         .keep = decoupled ? static_cast<T>(1 - lr * slot.weight_decay) : T(1)};
    });
    return [&slot, &gradient, step,
            run = kernel<AdamKernel<T>, cpu::adam_step, cuda::adam_step>(name_, value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>(), slot.memory[1].mutable_data<T>());
    };
  });
}

// ---- RmsProp ----

namespace {

std::vector<const char*> rmsprop_memory(const RmsPropOptions& options) {
  std::vector<const char*> names{"mean_square"};
  if (options.centered) names.push_back("mean");
  if (options.momentum != 0) names.push_back("momentum");
  return names;
}

}  // namespace

RmsProp::RmsProp(const std::vector<ParameterGroup>& groups, const RmsPropOptions& options)
    : Optimizer("RmsProp", rmsprop_memory(options), groups, options.lr, options.weight_decay,
                options.may_lack),
      options_(options) {
  require(options.alpha >= 0 && options.alpha < 1, "RmsProp: alpha ", options.alpha,
          " must lie in [0, 1)");
  require(options.eps >= 0 && options.momentum >= 0, "RmsProp: eps ", options.eps, " and momentum ",
          options.momentum, " must not be negative");
}

Optimizer::Move RmsProp::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("RmsProp", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<RmsPropStep<T>>(slot, [&](double lr, std::int64_t) {
      return RmsPropStep<T>{.lr = static_cast<T>(lr),
                            .alpha = static_cast<T>(options_.alpha),
                            .one_minus_alpha = static_cast<T>(1 - options_.alpha),
                            .eps = static_cast<T>(options_.eps),
                            .weight_decay = static_cast<T>(slot.weight_decay),
                            .momentum = static_cast<T>(options_.momentum)};
    });
    return [this, &slot, &gradient, step,
            run = kernel<RmsPropKernel<T>, cpu::rmsprop_step, cuda::rmsprop_step>("RmsProp",
                                                                                  value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>(),
          options_.centered ? slot.memory[1].mutable_data<T>() : nullptr,
          options_.momentum != 0 ? slot.memory.back().mutable_data<T>() : nullptr);
    };
  });
}

// ---- Adagrad ----

Adagrad::Adagrad(const std::vector<ParameterGroup>& groups, const AdagradOptions& options)
    : Optimizer("Adagrad", {"sum"}, groups, options.lr, options.weight_decay, options.may_lack),
      options_(options) {
  require(options.lr_decay >= 0 && options.initial_accumulator >= 0 && options.eps >= 0,
          "Adagrad: lr_decay ", options.lr_decay, ", initial_accumulator ",
          options.initial_accumulator, " and eps ", options.eps, " must not be negative");
}

Optimizer::Move Adagrad::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("Adagrad", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<AdagradStep<T>>(slot, [&](double lr, std::int64_t t) {
      const auto before = static_cast<double>(t - 1);
      return AdagradStep<T>{.lr = static_cast<T>(lr / (1 + before * options_.lr_decay)),
                            .eps = static_cast<T>(options_.eps),
                            .weight_decay = static_cast<T>(slot.weight_decay),
                            .start = static_cast<T>(options_.initial_accumulator),
                            .first = t == 1};
    });
    return [&slot, &gradient, step,
            run = kernel<AdagradKernel<T>, cpu::adagrad_step, cuda::adagrad_step>("Adagrad",
                                                                                  value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>());
    };
  });
}

}  // namespace pliant
