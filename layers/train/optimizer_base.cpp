#include <pliant/layers/train/optimizer_base.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <iterator>
#include <numeric>
#include <set>

#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/capture.h>
#include <pliant/layers/internal/paths.h>
#include <pliant/layers/internal/state_reader.h>
#include <pliant/layers/train/internal/transport.h>

namespace pliant {
namespace {

const std::string kSteps = "/steps";

std::string names_of(const Gradients& gradients) {
  std::vector<std::string> names;
  for (const Gradients::Entry& entry : gradients.entries()) names.push_back(entry.parameter.name());
  return names.empty() ? "no parameter" : listed(names, 4);
}

// The optimizer that remembers this, for messages.
const char* owner_of(const std::set<std::string>& names) {
  static constexpr std::pair<const char*, const char*> kMarks[] = {
      {"largest_second_moment", "Adam's with amsgrad"},
      {"first_moment", "Adam's (AdamW's, NAdam's)"},
      {"mean_square", "RmsProp's"},
      {"sum", "Adagrad's"},
      {"mean", "Lion's"},
      {"momentum", "that of Sgd with momentum, or Muon's"}};
  for (const auto& [mark, owner] : kMarks)
    if (names.contains(mark)) return owner;
  return "another optimizer's";
}

// Whether what is remembered by that name is a sum or a mean of squares.
bool is_square(std::string_view name) {
  static constexpr std::string_view kSquares[] = {"second_moment", "largest_second_moment",
                                                  "mean_square", "sum"};
  return std::find(std::begin(kSquares), std::end(kSquares), name) != std::end(kSquares);
}

std::string text_of(const std::set<std::string>& names) {
  return names.empty() ? "nothing" : listed(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace

Optimizer::Optimizer(const char* name, const MemoryOf& memory,
                     const std::vector<ParameterGroup>& groups, double lr, double weight_decay,
                     const std::vector<std::string>& may_lack)
    : name_(name), lr_(checked_rate(lr)) {
  std::set<std::uint64_t> seen;
  std::vector<std::string> paths;
  for (const ParameterGroup& group : groups) {
    require(group.lr_factor >= 0 && std::isfinite(group.lr_factor), name_, ": the factor ",
            group.lr_factor, " of a group is not a number >= 0");
    const double decay = checked_decay(group.weight_decay.value_or(weight_decay));
    for (const Parameter& parameter : group.parameters) {
      require(parameter.defined(), name_, ": parameter ", paths.size(), " is undefined");
      require(seen.insert(parameter.id()).second, name_, ": the parameter ", parameter.name(),
              " is given twice");
      slots_.push_back({parameter, group.lr_factor, decay, memory(parameter),
                        any_path_matches(may_lack, parameter.name())});
      paths.push_back(parameter.name());
    }
  }
  require(!slots_.empty(), name_, ": it was given no parameters; a net ",
          "has those of the layers that it takes in by own(\"name\", layer)");
  check_may_lack(name_, may_lack, paths);
}

void Optimizer::require_number(const char* what, double number) const {
  require(number >= 0 && std::isfinite(number), name_, ": ", what, ' ', number,
          " is not a number >= 0");
}

void Optimizer::require_betas(double beta1, double beta2) const {
  require(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, name_, ": beta1 ", beta1,
          " and beta2 ", beta2, " must lie in [0, 1)");
}

double Optimizer::checked_rate(double lr) const {
  require_number("the learning rate", lr);
  return lr;
}

double Optimizer::checked_decay(double decay) const {
  require_number("the weight decay", decay);
  return decay;
}

void Optimizer::set_lr(double lr) {
  require(schedule_ == nullptr, name_,
          ": set_lr() beside a schedule, which sets the rate of every ",
          "step; set_schedule({}) ends it");
  lr_ = checked_rate(lr);
}

void Optimizer::set_schedule(Schedule schedule) { schedule_ = std::move(schedule); }

std::vector<Optimizer::Slot*> Optimizer::matching(const char* what, std::string_view pattern) {
  std::vector<Slot*> found;
  std::vector<std::string> paths;
  for (Slot& slot : slots_) {
    paths.push_back(slot.parameter.name());
    if (path_matches(pattern, paths.back())) found.push_back(&slot);
  }
  require(!found.empty(), name_, ": ", what, " '", pattern, "' matches no path; there are ",
          listed(paths, 4));
  return found;
}

void Optimizer::set_weight_decay(std::string_view pattern, double decay) {
  checked_decay(decay);
  for (Slot* slot : matching("set_weight_decay", pattern)) slot->weight_decay = decay;
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
  memory.resize(slot.memory_names.size());
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

// Tells once of those by parameters that no module has and this optimizer was not given: a member
// that own() did not take in. Those of other nets are their optimizers'.
void Optimizer::report_strays(const Gradients& gradients) {
  std::vector<std::string> strays;
  for (const Gradients::Entry& entry : gradients.entries()) {
    const Parameter& parameter = entry.parameter;
    const auto is_it = [&](const Slot& slot) { return slot.parameter == parameter; };
    if (parameter.owned() || std::any_of(slots_.begin(), slots_.end(), is_it) ||
        !told_.insert(parameter.id()).second)
      continue;
    const std::string& name = parameter.name();
    strays.push_back(text_from(name.empty() ? "one without a name" : name, ' ', parameter.shape()));
  }
  if (strays.empty()) return;
  std::cerr << "pliant: " + std::string(name_) + ": there are gradients by parameters that no " +
                   "module owns and this optimizer was not given: " + listed(strays) +
                   "; they are neither trained nor saved: own(\"name\", parameter) takes one in\n";
}

void Optimizer::step(const Gradients& gradients) {
  require_not_recording(name_);
  by_state_ = false;
  if (schedule_ != nullptr) lr_ = checked_rate(schedule_(steps_));
  step_all(gradients);
}

void Optimizer::step(const Gradients& gradients, const StepState& state) {
  require(state.number() < state.steps(), name_, ": all ", state.steps(), " steps are done");
  if (!state_.defined() || !state_.counter().shares_storage_with(state.counter())) tables_.clear();
  require(group_.size() == 1, name_, ": a step that is captured cannot be shared among ranks");
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
  require(any || lacking.empty(), name_, ": none of its parameters has a gradient (the first is ",
          lacking.empty() ? "" : lacking.front()->parameter.name(), "); there are gradients of ",
          names_of(gradients));
  if (!lacking.empty()) report(lacking);
  report_strays(gradients);
  std::vector<Move> moves;
  std::vector<std::size_t> moved;
  for (const auto& [i, gradient] : moving) {
    if (owns(slots_[i])) {
      make_room(slots_[i]);
      moves.push_back(update(slots_[i], *gradient));
    }
    moved.push_back(i);
  }
  // A recording reads the tables for as long as it is replayed.
  std::function<void()> count = [this, moved, tables = tables_] {
    for (const std::size_t i : moved) ++slots_[i].steps;
    ++steps_;
  };
  for (const Move& move : moves) move();
  tell_others(moved);
  at_every_replay(std::move(count));
}

// ---- on several ranks ----

void Optimizer::share(const Group& group) {
  group_ = group;
  std::vector<std::size_t> largest_first(slots_.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::stable_sort(largest_first.begin(), largest_first.end(), [&](std::size_t a, std::size_t b) {
    return slots_[a].parameter.shape().size() > slots_[b].parameter.shape().size();
  });
  std::vector<std::int64_t> elements(static_cast<std::size_t>(group.size()), 0);
  for (const std::size_t i : largest_first) {
    const auto least = std::min_element(elements.begin(), elements.end());
    slots_[i].owner = static_cast<int>(least - elements.begin());
    *least += slots_[i].parameter.shape().size();
    if (!owns(slots_[i])) slots_[i].memory.clear();
  }
}

// The new values, from who moved them.
void Optimizer::tell_others(const std::vector<std::size_t>& moved) {
  if (group_.size() == 1) return;
  Bytes mine;
  for (const std::size_t i : moved) {
    if (!owns(slots_[i])) continue;
    const Tensor value = slots_[i].parameter.value().to(Device::cpu());
    const std::span<const std::byte> bytes = bytes_of(value);
    mine.insert(mine.end(), bytes.begin(), bytes.end());
  }
  const std::vector<Bytes> all = group_.transport()->all_gather(mine);
  std::vector<std::size_t> at(all.size(), 0);
  for (const std::size_t i : moved) {
    const auto owner = static_cast<std::size_t>(slots_[i].owner);
    Tensor value = slots_[i].parameter.value();  // the same storage
    const auto bytes = static_cast<std::size_t>(value.bytes());
    require(at[owner] + bytes <= all[owner].size(), name_, ": rank ", owner, " moved ",
            all[owner].size(), " bytes of parameters, not those of these gradients");
    if (!owns(slots_[i]) && bytes > 0) {
      Tensor theirs = Tensor::empty(value.shape(), value.dtype());
      std::memcpy(theirs.mutable_raw(), all[owner].data() + at[owner], bytes);
      value.copy_from(theirs);
    }
    at[owner] += bytes;
  }
}

// From the owner, on every rank.
Tensor Optimizer::whole_memory(const Slot& slot, std::size_t i) const {
  if (group_.size() == 1) return slot.memory[i].clone();
  const Tensor& value = slot.parameter.value();
  Tensor memory = owns(slot) ? slot.memory[i].clone()
                             : Tensor::empty(value.shape(), value.dtype(), value.device());
  group_.broadcast(memory, slot.owner);
  return memory;
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
    state.emplace_back(path + kSteps, Tensor::from<std::int64_t>({slot.steps}, {}));
    for (std::size_t i = 0; i < slot.memory_names.size(); ++i)
      state.emplace_back(path + "/" + slot.memory_names[i], whole_memory(slot, i));
  }
  if (steps_ > 0) state.emplace_back(kSteps, Tensor::from<std::int64_t>({steps_}, {}));
  return state;
}

// An Error if the state remembers of a parameter what this optimizer does not.
void Optimizer::check_kind(const Slot& slot, const State& state) const {
  const std::string prefix = slot.parameter.name() + "/";
  const std::set<std::string> expected(slot.memory_names.begin(), slot.memory_names.end());
  std::set<std::string> there;
  for (const auto& [path, tensor] : state)
    if (path.starts_with(prefix) && path != slot.parameter.name() + kSteps)
      there.insert(path.substr(prefix.size()));
  require(std::includes(expected.begin(), expected.end(), there.begin(), there.end()), name_,
          ": of ", slot.parameter.name(), " the state has ", text_of(there), ", expected ",
          text_of(expected), "; it is ", owner_of(there));
}

std::int64_t Optimizer::read_steps(const std::string& path, StateReader& given) const {
  const double steps = given.take(path, {}).item();
  require(steps >= 1 && steps <= 0x1p53 && steps == std::floor(steps), name_, ": ", path, " is ",
          steps, ", expected a whole number from 1 to 2^53");
  return static_cast<std::int64_t>(steps);
}

void Optimizer::read(Slot& slot, StateReader& given) const {
  const std::string& path = slot.parameter.name();
  slot.steps = read_steps(path + kSteps, given);
  for (const char* name : slot.memory_names) {
    const Tensor tensor = given.take(path + "/" + name, slot.parameter.shape());
    require(is_floating(tensor.dtype()), name_, ": ", path, "/", name, " is ", tensor.dtype());
    require(!is_square(name) || tensor.size() == 0 || !(min(Var(tensor)).item() < 0), name_, ": ",
            path, "/", name, " has numbers below 0, which no mean of squares has");
    require(all(isfinite(Var(tensor))), name_, ": ", path, "/", name,
            " has numbers that are not finite, which would become the weights'");
    slot.memory.push_back(tensor.clone());
  }
}

void Optimizer::load(const State& state) {
  StateReader given(name_, state);
  std::vector<Slot> slots = slots_;
  for (Slot& slot : slots) {
    slot.steps = 0;
    slot.memory.clear();
    if (!given.contains(slot.parameter.name() + kSteps)) continue;
    check_kind(slot, state);
    read(slot, given);
    if (!owns(slot)) slot.memory.clear();
  }
  // A state from before they were kept has none.
  require(schedule_ == nullptr || state.empty() || given.contains(kSteps), name_,
          ": the state lacks ", kSteps, ", which the schedule would go on from");
  const std::int64_t steps = given.contains(kSteps) ? read_steps(kSteps, given) : 0;
  given.require_all_taken();
  slots_ = std::move(slots);
  steps_ = steps;
}

}  // namespace pliant
