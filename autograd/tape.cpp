#include <pliant/autograd/tape.h>

#include <pliant/autograd/batch_part.h>
#include <pliant/autograd/internal/anomaly_check.h>
#include <pliant/autograd/internal/backward.h>
#include <pliant/autograd/internal/tape_state.h>

namespace pliant {

namespace {

constexpr const char* kOffTapeMessage =
    ": one side was computed off the tape from parameters that are not frozen, which would get no "
    "gradient for it; put its input on the tape (tape.input(..), or x.lift(..) beside a Var x), or "
    "say that it is meant as a constant: detach(..)";

}  // namespace

// ---- Var ----

bool Var::training() const {
  if (!on_tape()) return false;
  tape_->require_alive("training");
  return tape_->options.mode == Mode::training;
}

bool Var::updates_buffers() const {
  return training() && tape_->options.buffers == Buffers::update && tape_->reruns == 0;
}

bool Var::has_rng() const { return on_tape() && tape_->options.rng.has_value(); }

Rng Var::rng() const {
  require(on_tape(), "rng: a Var off the tape has no random key");
  require(has_rng(),
          "rng: the tape has no random key, so every step would draw the same numbers; "
          "write Tape tape({.rng = rng.fork(step)})");
  return *tape_->options.rng;
}

StepState Var::step_state() const { return on_tape() ? tape_->options.step : StepState(); }

const BatchPart* Var::part() const { return on_tape() ? tape_->options.part : nullptr; }

const BatchPart* Var::coupled_part() const {
  const BatchPart* const its = part();
  return its != nullptr && its->is_coupled() ? its : nullptr;
}

Var Var::lift(const Parameter& parameter) const {
  if (!on_tape())
    return Var(parameter.value(), nullptr, parameter.frozen() ? -1 : TapeState::kOffTape);
  const TapeUse use("lift", *tape_);
  tape_->require_alive("lift");
  return Var(parameter.value(), tape_, tape_->slot_of(parameter));
}

Var Var::lift(const Var& constant) const {
  require(constant.defined(), "lift: the constant is undefined");
  if (!on_tape() || constant.tape_ == tape_) return constant;
  tape_->require_alive("lift");
  require(!constant.on_tape(), "lift: the constant lies on another tape; take it out with value()");
  require(!tape_->options.record || !TapeState::is_off_tape(constant), "lift", kOffTapeMessage);
  return tape_->constant(constant.value_, tape_);
}

Var detach(const Var& x) {
  require(x.defined(), "detach: x is undefined");
  return TapeState::var(x.value(), TapeState::of(x), -1);
}

// ---- record ----

namespace {

struct Inputs {
  const std::shared_ptr<TapeState>* tape = nullptr;  // that the result will be on
  bool wanted = false, inside = false, off_tape = false;
};

// A Var of a tape that does not record is a constant beside one of a tape that does.
Inputs look_at(const char* op, std::span<const Var> inputs) {
  Inputs found;
  for (const Var& input : inputs) {
    const int slot = TapeState::slot(input);
    found.wanted = found.wanted || slot >= 0;
    found.inside = found.inside || slot == TapeState::kInside;
    found.off_tape = found.off_tape || slot == TapeState::kOffTape;
    if (!input.on_tape()) continue;
    const std::shared_ptr<TapeState>& theirs = TapeState::of(input);
    if (found.tape == nullptr || *found.tape == theirs) {
      found.tape = &theirs;
      continue;
    }
    const bool other = theirs->options.record;
    require(other != (*found.tape)->options.record, op,
            ": its inputs lie on two different tapes; take one out with value()");
    if (other) found.tape = &theirs;
  }
  return found;
}

// The slot of what a node saves. A constant that is the result itself was saved before the result
// had a slot.
int saved_slot(const Var& var, const Tensor& value, int output) {
  const bool is_result = !var.on_tape() && var.defined() && var.value().raw() == value.raw() &&
                         var.shape() == value.shape() && var.dtype() == value.dtype();
  return is_result ? output : TapeState::slot(var);
}

}  // namespace

Var record(const char* op, Tensor value, std::span<const Var> inputs, std::span<const Var> saved,
           GradientFunction gradient, Derivatives derivatives) {
  op = ErrorOp::name_of(op);
  if (anomaly::looking != anomaly::Looking::off) anomaly::check_result(op, value, inputs);
  const Inputs found = look_at(op, inputs);
  if (found.tape == nullptr)
    return Var(std::move(value), nullptr, found.off_tape ? TapeState::kOffTape : -1);
  TapeState& tape = **found.tape;
  const TapeUse use(op, tape);
  tape.require_alive(op);
  require(!found.off_tape || !tape.options.record, op, kOffTapeMessage);
  require(!found.inside || tape.passing, op,
          ": an input was computed inside a checkpoint and taken out of it; only what the "
          "function returns may be used outside");
  if (!found.wanted) return Var(std::move(value), *found.tape, -1);
  if (tape.passing) return Var(std::move(value), *found.tape, TapeState::kInside);

  require(gradient != nullptr, op, ": it was recorded without a gradient function");
  const int slot = tape.new_slot(value);
  TapeState::Node node;  // whole before it is on the tape: what fails leaves nothing behind
  node.op = op;
  node.output = slot;
  node.derivatives = derivatives;
  node.inputs.reserve(inputs.size());
  for (const Var& input : inputs) node.inputs.push_back(TapeState::slot(input));
  node.saved.reserve(saved.size());
  for (const Var& var : saved)
    node.saved.push_back({var.value(), var.value().version(), saved_slot(var, value, slot)});
  node.gradient = std::move(gradient);
  tape.nodes.push_back(std::move(node));
  return Var(std::move(value), *found.tape, slot);
}

// ---- Tape ----

Tape::Tape(const TapeOptions& options) : state_(std::make_shared<TapeState>()) {
  state_->options = options;
}

Tape::~Tape() {
  const TapeUse use(*state_);
  state_->alive = false;
  state_->nodes.clear();
  state_->parameters.clear();
}

Var Tape::input(Tensor value) const {
  require(value.defined(), "tape: the input is undefined");
  return state_->constant(std::move(value), state_);
}

Var Tape::variable(Tensor value) const {
  require(value.defined(), "tape: the variable is undefined");
  require(is_floating(value.dtype()), "tape: a variable must be floating, not ", value.dtype());
  if (!state_->options.record) return Var(std::move(value), state_, -1);
  const TapeUse use("tape", *state_);
  const int slot = state_->new_slot(value);
  state_->variables.push_back(slot);
  return Var(std::move(value), state_, slot);
}

Var Tape::operator()(const Parameter& parameter) const {
  const TapeUse use("tape", *state_);
  return Var(parameter.value(), state_, state_->slot_of(parameter));
}

std::int64_t Tape::saved_bytes() const {
  const TapeUse use("saved_bytes", *state_);
  std::int64_t bytes = 0;
  for (const TapeState::Node& node : state_->nodes)
    for (const TapeState::Saved& saved : node.saved)
      if (saved.tensor.defined()) bytes += saved.tensor.bytes();
  return bytes;
}

Gradients Tape::gradients(const Var& loss, const std::vector<Var>& wanted,
                          const GradientsOptions& options) const {
  const TapeUse use("gradients", *state_);
  return Backward::run(state_, loss, wanted, options);
}

}  // namespace pliant
