#include <pliant/autograd/tape.h>

#include <pliant/autograd/anomaly_check.h>
#include <pliant/autograd/backward.h>
#include <pliant/autograd/tape_state.h>

namespace pliant {

// ---- Var ----

bool Var::training() const {
  if (!on_tape()) return false;
  tape_->require_alive("training");
  return tape_->options.mode == Mode::training;
}

bool Var::updates_buffers() const {
  return training() && tape_->options.buffers == Buffers::update && tape_->reruns == 0;
}

Rng Var::rng() const {
  require(on_tape(), "rng: a Var off the tape has no random key");
  return tape_->options.rng;
}

StepState Var::step_state() const { return on_tape() ? tape_->options.step : StepState(); }

Var Var::lift(const Parameter& parameter) const {
  if (!on_tape()) return parameter.value();
  tape_->require_alive("lift");
  return Var(parameter.value(), tape_, tape_->slot_of(parameter));
}

// ---- record ----

namespace {

// The slot of what a step saves. A constant that is the result itself was saved before the result
// had a slot.
int saved_slot(const Var& var, const Tensor& value, int output) {
  const bool is_result = !var.on_tape() && var.defined() && var.value().raw() == value.raw() &&
                         var.shape() == value.shape() && var.dtype() == value.dtype();
  return is_result ? output : TapeState::slot(var);
}

}  // namespace

Var record(const char* op, Tensor value, std::span<const Var> inputs, std::span<const Var> saved,
           GradientFunction gradient, Derivatives derivatives) {
  if (anomaly::looking != anomaly::Looking::off) anomaly::check_result(op, value, inputs);
  const std::shared_ptr<TapeState>* found = nullptr;
  bool wanted = false;
  for (const Var& input : inputs) {
    wanted = wanted || input.wants_gradient();
    if (!input.on_tape()) continue;
    input.tape_->require_alive(op);
    require(found == nullptr || *found == input.tape_, op,
            ": its inputs lie on two different tapes; take one out with value()");
    require(input.slot_ != TapeState::kInside || input.tape_->passing, op,
            ": an input was computed inside a checkpoint and taken out of it; only what the "
            "function returns may be used outside");
    found = &input.tape_;
  }
  if (found == nullptr) return value;
  TapeState& tape = **found;
  if (!wanted) return Var(std::move(value), *found, -1);
  if (tape.passing) return Var(std::move(value), *found, TapeState::kInside);

  const int slot = tape.new_slot(value.shape());
  TapeState::Step& step = tape.steps.emplace_back();
  step.op = op;
  step.output = slot;
  step.derivatives = derivatives;
  step.inputs.reserve(inputs.size());
  for (const Var& input : inputs) step.inputs.push_back(input.slot_);
  step.saved.reserve(saved.size());
  for (const Var& var : saved)
    step.saved.push_back({var.value(), var.value().version(), saved_slot(var, value, slot)});
  step.gradient = std::move(gradient);
  return Var(std::move(value), *found, slot);
}

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
  if (state_->options.activations && is_floating(value.dtype()))
    value = value.to(*state_->options.activations);
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

Gradients Tape::gradients(const Var& loss, const std::vector<Var>& wanted,
                          const GradientsOptions& options) const {
  return Backward::run(state_, loss, wanted, options);
}

}  // namespace pliant
