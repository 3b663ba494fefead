#include <pliant/layers/sequential.h>

#include <pliant/autograd/ops/arithmetic.h>

namespace pliant {

Var Flatten::operator()(const Var& x) const {
  const ErrorPlace here(path());
  require(x.defined(), "Flatten: x is undefined");
  require(x.rank() >= 1, "Flatten: a scalar has no batch axis");
  const std::int64_t n = x.dim(0);
  std::int64_t rest = 1;
  for (int axis = 1; axis < x.rank(); ++axis) rest *= x.dim(axis);
  return observed("Flatten", reshape(x, {n, rest}));
}

Var Sequential::operator()(const Var& x) const {
  const ErrorPlace here(path());
  Var y = x;
  for (const Step& step : layers_) y = (*step.call)(y);
  return y;
}

Var Residual::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var y = (*body_)(x), way_round = shortcut_ != nullptr ? (*shortcut_)(x) : x;
  require(y.shape() == way_round.shape(), "Residual: ", path(), ": the body gives ", y.shape(),
          " but the way round it ", way_round.shape());
  return observed("Residual", y + way_round);
}

}  // namespace pliant
