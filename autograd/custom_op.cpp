#include <pliant/autograd/custom_op.h>

#include <algorithm>

namespace pliant {

Var apply(const CustomOp& op, const Vars& inputs) {
  require(op.forward != nullptr && op.backward != nullptr, op.name, ": it has no ",
          op.forward == nullptr ? "forward" : "backward", " function");
  Vars constants;
  for (const Var& input : inputs) constants.emplace_back(input.value());
  const Var y = op.forward(constants);
  require(y.defined(), op.name, ": its forward function returned an undefined Var");
  require(!y.on_tape(), op.name, ": its forward function used a Var that is not among its inputs");
  const bool wanted = std::any_of(inputs.begin(), inputs.end(),
                                  [](const Var& input) { return input.wants_gradient(); });
  if (!wanted) return record(op.name, y.value(), inputs, {}, {});
  Vars saved = inputs;
  saved.push_back(y);
  return record(
      op.name, y.value(), inputs, saved,
      [count = inputs.size(), backward = op.backward](const StepView& step) -> Vars {
        Vars given;
        for (std::size_t i = 0; i < count; ++i) given.push_back(step.saved(i));
        return backward(given, step.saved(count), step.cotangent());
      },
      op.derivatives);
}

}  // namespace pliant
