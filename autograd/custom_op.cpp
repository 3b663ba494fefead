#include <pliant/autograd/custom_op.h>

#include <algorithm>

#include <pliant/autograd/internal/tape_state.h>

namespace pliant {

Var apply(const CustomOp& op, const Vars& inputs) {
  require(op.name != nullptr, "apply: the custom op has no name");
  require(op.forward != nullptr && op.backward != nullptr, op.name, ": it has no ",
          op.forward == nullptr ? "forward" : "backward", " function");
  Vars constants;
  for (const Var& input : inputs) constants.emplace_back(input.value());
  std::vector<std::uint64_t> versions;
  for (const Var& input : inputs) versions.push_back(input.value().version());
  const ErrorOp here(op.name);
  const Var y = op.forward(constants);
  require(y.defined(), op.name, ": its forward function returned an undefined Var");
  require(!y.on_tape(), op.name, ": its forward function used a Var that is not among its inputs");
  require(!TapeState::is_off_tape(y), op.name,
          ": its forward function used a parameter that is not among its inputs; "
          "give it x.lift(parameter) as one");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    require(inputs[i].value().version() == versions[i], op.name,
            ": its forward function changed input ", i, " in place; change a clone()");
  const bool wanted = std::any_of(inputs.begin(), inputs.end(),
                                  [](const Var& input) { return input.wants_gradient(); });
  if (!wanted) return record(op.name, y.value(), inputs, {}, {});
  Vars saved = inputs;
  saved.push_back(y);
  return record(
      op.name, y.value(), inputs, saved,
      [count = inputs.size(), backward = op.backward](const NodeView& node) -> Vars {
        Vars given;
        for (std::size_t i = 0; i < count; ++i) given.push_back(node.saved(i));
        return backward(given, node.saved(count), node.cotangent());
      },
      op.derivatives);
}

Var CustomOp::operator()(const Vars& inputs) const { return pliant::apply(*this, inputs); }

}  // namespace pliant
