#include <pliant/autograd/tape.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {

// What Tape and its Vars share. Steps hold slots, never Vars, so nothing here refers to itself.
struct TapeState {
  struct Saved {
    Tensor tensor;
    std::uint64_t version = 0;
  };
  struct Step {
    const char* op = "";
    int output = -1;
    std::vector<int> inputs;  // slots; -1: no gradient wanted
    std::vector<Saved> saved;
    GradientFunction gradient;
  };

  TapeOptions options;
  bool alive = true;
  bool spent = false;  // gradients were taken
  std::vector<Step> steps;
  std::vector<Shape> slots;  // shape of what each slot's gradient belongs to
  std::vector<std::pair<Parameter, int>> parameters;  // that want a gradient, with their slot
  std::vector<int> variables;
  std::unordered_map<std::uint64_t, int> lifted;  // Parameter::id() -> slot or -1

  int new_slot(const Shape& shape) {
    slots.push_back(shape);
    return static_cast<int>(slots.size()) - 1;
  }

  int slot_of(const Parameter& parameter) {
    const auto [place, is_new] = lifted.try_emplace(parameter.id(), -1);
    if (is_new && options.record && !parameter.frozen()) {
      place->second = new_slot(parameter.shape());
      parameters.emplace_back(parameter, place->second);
    }
    return place->second;
  }

  void require_alive(const char* who) const {
    require(alive, who,
            ": the tape of this Var is gone; keep the Tape alive, or take the tensor "
            "out with value()");
  }
};

// ---- Var ----

bool Var::training() const {
  if (!on_tape()) return false;
  tape_->require_alive("training");
  return tape_->options.mode == Mode::training;
}

bool Var::updates_buffers() const {
  return training() && tape_->options.buffers == Buffers::update;
}

Rng Var::rng() const {
  require(on_tape(), "rng: a Var off the tape has no random key");
  return tape_->options.rng;
}

Var Var::lift(const Parameter& parameter) const {
  if (!on_tape()) return parameter.value();
  tape_->require_alive("lift");
  return Var(parameter.value(), tape_, tape_->slot_of(parameter));
}

// ---- record ----

Var record(const char* op, Tensor value, std::span<const Var> inputs,
           std::initializer_list<Var> saved, GradientFunction gradient) {
  std::shared_ptr<TapeState> tape;
  bool wanted = false;
  for (const Var& input : inputs) {
    wanted = wanted || input.wants_gradient();
    if (!input.on_tape()) continue;
    input.tape_->require_alive(op);
    require(tape == nullptr || tape == input.tape_, op,
            ": its inputs lie on two different tapes; take one out with value()");
    tape = input.tape_;
  }
  if (!wanted) return Var(std::move(value), std::move(tape), -1);

  TapeState::Step step;
  step.op = op;
  step.output = tape->new_slot(value.shape());
  step.inputs.reserve(inputs.size());
  for (const Var& input : inputs) step.inputs.push_back(input.slot_);
  step.saved.reserve(saved.size());
  for (const Var& var : saved) step.saved.push_back({var.value(), var.value().version()});
  step.gradient = std::move(gradient);
  const int slot = step.output;
  tape->steps.push_back(std::move(step));
  return Var(std::move(value), std::move(tape), slot);
}

Var StepView::saved(std::size_t index) const {
  const TapeState::Step& step = tape_.steps[step_];
  const TapeState::Saved& saved = step.saved.at(index);
  require(saved.tensor.version() == saved.version, step.op, ": a tensor that its gradient needs (",
          saved.tensor.shape(),
          ") was changed in place after the op ran; take gradients first, or "
          "change a clone()");
  return saved.tensor;
}

bool StepView::wants(std::size_t index) const { return tape_.steps[step_].inputs.at(index) >= 0; }

// ---- Tape ----

Tape::Tape(const TapeOptions& options) : state_(std::make_shared<TapeState>()) {
  state_->options = options;
}

Tape::~Tape() {
  state_->alive = false;
  state_->steps.clear();
  state_->parameters.clear();
}

Var Tape::input(Tensor value) const {
  require(value.defined(), "tape: the input is undefined");
  return Var(std::move(value), state_, -1);
}

Var Tape::variable(Tensor value) const {
  require(value.defined(), "tape: the variable is undefined");
  require(is_floating(value.dtype()), "tape: a variable must be floating, not ", value.dtype());
  if (!state_->options.record) return Var(std::move(value), state_, -1);
  const int slot = state_->new_slot(value.shape());
  state_->variables.push_back(slot);
  return Var(std::move(value), state_, slot);
}

Var Tape::operator()(const Parameter& parameter) const {
  return Var(parameter.value(), state_, state_->slot_of(parameter));
}

std::int64_t Tape::saved_bytes() const {
  std::int64_t bytes = 0;
  for (const TapeState::Step& step : state_->steps)
    for (const TapeState::Saved& saved : step.saved) bytes += saved.tensor.bytes();
  return bytes;
}

namespace {

void check_loss(const TapeState& tape, const Var& loss, bool on_this_tape,
                const Tensor& cotangent) {
  require(loss.on_tape(),
          "gradients: the loss is not on the tape; compute it from "
          "tape.input(x), tape.variable(x) or tape(parameter)");
  require(on_this_tape, "gradients: the loss lies on another tape");
  require(tape.options.record, "gradients: this tape does not record (TapeOptions::record)");
  require(!tape.spent,
          "gradients: this tape's gradients were taken already; name all that is "
          "wanted in one call, or record anew");
  require(loss.wants_gradient(),
          "gradients: the loss depends on no variable and no unfrozen "
          "parameter of this tape");
  if (!cotangent.defined()) {
    require(loss.size() == 1, "gradients: the loss has shape ", loss.shape(),
            ", not one element; take sum() or mean(), or give GradientsOptions::cotangent");
  } else {
    require(cotangent.shape() == loss.shape() && cotangent.dtype() == loss.dtype() &&
                cotangent.device() == loss.device(),
            "gradients: the cotangent is ", cotangent.dtype(), ' ', cotangent.shape(), " on ",
            cotangent.device(), ", the loss ", loss.dtype(), ' ', loss.shape(), " on ",
            loss.device());
  }
}

void accumulate(Var& into, Var gradient) {
  if (!into.defined()) {
    into = std::move(gradient);
  } else {
    into = add(into, gradient);
  }
}

}  // namespace

Gradients Tape::gradients(const Var& loss, const std::vector<Var>& wanted,
                          const GradientsOptions& options) const {
  TapeState& tape = *state_;
  check_loss(tape, loss, loss.tape_ == state_, options.cotangent);
  for (const Var& var : wanted)
    require(var.tape_ == state_ && var.wants_gradient(),
            "gradients: a wanted Var is not on this tape, or does not depend on anything trained");
  tape.spent = true;

  std::vector<Var> slots(tape.slots.size());
  slots[static_cast<std::size_t>(loss.slot_)] =
      options.cotangent.defined() ? options.cotangent
                                  : Tensor::full(loss.shape(), 1.0, loss.dtype(), loss.device());
  std::vector<bool> keep(tape.slots.size(), false);
  for (const Var& var : wanted) keep[static_cast<std::size_t>(var.slot_)] = true;

  for (std::size_t i = tape.steps.size(); i-- > 0;) {
    const auto output = static_cast<std::size_t>(tape.steps[i].output);
    Var cotangent = keep[output] ? slots[output] : std::exchange(slots[output], Var());
    if (cotangent.defined()) {
      const Vars gradients = tape.steps[i].gradient(StepView(tape, i, std::move(cotangent)));
      const TapeState::Step& step = tape.steps[i];
      require(gradients.size() == step.inputs.size(), step.op, ": its gradient function returned ",
              gradients.size(), " gradients for ", step.inputs.size(), " inputs");
      for (std::size_t k = 0; k < gradients.size(); ++k) {
        if (step.inputs[k] < 0 || !gradients[k].defined()) continue;
        const auto slot = static_cast<std::size_t>(step.inputs[k]);
        require(gradients[k].shape() == tape.slots[slot], step.op, ": the gradient by input ", k,
                " has shape ", gradients[k].shape(), ", expected ", tape.slots[slot]);
        accumulate(slots[slot], gradients[k]);
      }
    }
    tape.steps[i].saved.clear();
    tape.steps[i].gradient = nullptr;
  }

  Gradients result;
  result.tape_ = state_;
  for (const auto& [parameter, slot] : tape.parameters)
    if (const Var& gradient = slots[static_cast<std::size_t>(slot)]; gradient.defined())
      result.entries_.push_back({parameter, gradient.value()});
  std::sort(result.entries_.begin(), result.entries_.end(),
            [](const auto& a, const auto& b) { return a.parameter.id() < b.parameter.id(); });
  for (const int slot : tape.variables)
    if (slots[static_cast<std::size_t>(slot)].defined())
      result.vars_.emplace_back(slot, slots[static_cast<std::size_t>(slot)].value());
  for (const Var& var : wanted)
    if (slots[static_cast<std::size_t>(var.slot_)].defined())
      result.vars_.emplace_back(var.slot_, slots[static_cast<std::size_t>(var.slot_)].value());
  return result;
}

}  // namespace pliant
