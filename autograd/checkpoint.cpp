#include <pliant/autograd/checkpoint.h>

#include <utility>

#include <pliant/autograd/internal/backward.h>
#include <pliant/autograd/internal/tape_state.h>

namespace pliant {

using Function = std::function<Var(const Vars&)>;

// What the second run must find as the first had it.
struct CheckpointNode {
  struct Seen {
    Parameter parameter;
    const void* memory;
    std::uint64_t version;
  };

  Function f;
  std::vector<bool> on_tape;  // of each input
  std::vector<Seen> seen;     // the parameters that it used

  Vars gradients(const NodeView& node) const;
};

namespace {

constexpr const char* kOp = "checkpoint";

// Gives a variable another value for a scope.
template <class T>
class Scoped {
 public:
  Scoped(T& place, T now) : place_(place), before_(std::exchange(place, now)) {}
  ~Scoped() { place_ = before_; }
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;

 private:
  T& place_;
  T before_;
};

std::shared_ptr<TapeState> recording_tape(const Vars& inputs) {
  for (const Var& input : inputs)
    if (input.on_tape() && TapeState::of(input)->options.record && !TapeState::of(input)->passing)
      return TapeState::of(input);
  return nullptr;
}

}  // namespace

Vars CheckpointNode::gradients(const NodeView& node) const {
  Backward& backward = node.backward_;
  const std::shared_ptr<TapeState>& tape = backward.tape();
  for (const Seen& then : seen) {
    const Tensor& now = then.parameter.value();
    require(now.raw() == then.memory && now.version() == then.version, kOp, ": parameter ",
            then.parameter.name(), " changed after the first run; take gradients first");
  }
  Vars inputs;
  for (std::size_t i = 0; i < on_tape.size(); ++i) {
    const Tensor value = node.saved(i).value();
    const int slot = tape->nodes[node.node_].inputs[i];
    inputs.push_back(on_tape[i] ? TapeState::var(value, tape, slot) : Var(value));
  }
  backward.detour(kOp, node.cotangent(), [&] {
    const Scoped<int> rerun(tape->reruns, tape->reruns + 1);
    return f(inputs);
  });
  return Vars(inputs.size());  // they were added on the way
}

Var checkpoint(const Function& f, const Vars& inputs) {
  require(f != nullptr, kOp, ": the function is empty");
  const std::shared_ptr<TapeState> tape = recording_tape(inputs);
  if (tape == nullptr) return f(inputs);
  const TapeUse use(kOp, *tape);
  tape->require_alive(kOp);
  std::vector<Parameter> used;
  Var y;
  {
    const Scoped<bool> passing(tape->passing, true);
    const Scoped<std::vector<Parameter>*> watch(tape->watch, &used);
    y = f(inputs);
  }
  // No node of f was kept, so its result may be one of the inputs, a Var it captured or a constant.
  if (TapeState::slot(y) != TapeState::kInside) return y;

  CheckpointNode kept{f, {}, {}};
  for (const Var& input : inputs) kept.on_tape.push_back(input.on_tape());
  for (const Parameter& parameter : used)
    kept.seen.push_back({parameter, parameter.value().raw(), parameter.value().version()});

  TapeState::Node node;
  node.op = kOp;
  node.output = tape->new_slot(y.value());
  node.derivatives = Derivatives::all;
  for (const Var& input : inputs) {
    node.inputs.push_back(TapeState::slot(input));
    node.saved.push_back({input.value(), input.value().version(), TapeState::slot(input)});
  }
  node.gradient = [kept = std::move(kept)](const NodeView& view) { return kept.gradients(view); };
  const int slot = node.output;
  tape->nodes.push_back(std::move(node));
  return TapeState::var(y.value(), tape, slot);
}

}  // namespace pliant
