#include <pliant/layers/linear.h>

#include <cmath>

namespace pliant {

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options)
    : activation_(options.activation) {
  const ErrorOp here("Linear");
  require(in >= 1 && out >= 1, "Linear: from ", in, " to ", out,
          " features, expected at least 1 of each");
  weight = own("weight", Parameter(Shape{out, in}),
               options.initialiser ? options.initialiser
                                   : init::uniform(1 / std::sqrt(static_cast<double>(in))));
  if (options.bias == Bias::yes) bias = own("bias", Parameter(Shape{out}), init::zeros());
}

Var Linear::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var w = x.lift(weight), b = bias.defined() ? x.lift(bias) : Var();
  const Var y = linear(x, w, b, activation_);
  return observed("Linear", y, y.size() * weight.shape()[1]);
}

}  // namespace pliant
