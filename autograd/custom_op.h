// CustomOp: a differentiable function of the user's own, as a pair of lambdas.
//
//   const CustomOp cube{
//       .name = "cube",
//       .forward = [](const Vars& in) { return in[0] * in[0] * in[0]; },
//       .backward = [](const Vars& in, const Var&, const Var& dy) -> Vars {
//         return {dy * 3.0 * square(in[0])};
//       },
//       .derivatives = Derivatives::all};
//   Var y = cube({x});
#pragma once

#include <functional>

#include <pliant/autograd/tape.h>

namespace pliant {

struct CustomOp {
  const char* name = "custom op";  // in messages; a literal
  // From the inputs, as constants, to the result: by public ops or on the elements of value().
  std::function<Var(const Vars& inputs)> forward = nullptr;
  // From the inputs, the result and the gradient by it to one gradient per input, of its shape;
  // an undefined Var stands for none.
  std::function<Vars(const Vars& inputs, const Var& result, const Var& cotangent)> backward =
      nullptr;
  // `all` if backward is written in public ops alone: then there are second derivatives.
  Derivatives derivatives = Derivatives::first;

  // The result, recorded with the inputs as what its gradient needs. The op is copied. Inputs may
  // be undefined. A result that depends on a Var which is not among the inputs is an Error.
  Var operator()(const Vars& inputs) const;
};

// The same as a function. Beside a named vector of Vars say pliant::apply: std::apply, which takes
// anything, is found there, too.
Var apply(const CustomOp& op, const Vars& inputs);

}  // namespace pliant
