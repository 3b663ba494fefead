#include <pliant/layers/layer_norm.h>

namespace pliant {

LayerNorm::LayerNorm(std::int64_t channels, const LayerNormOptions& options) : options_(options) {
  const ErrorOp here("LayerNorm");
  require(channels >= 1, "LayerNorm: over ", channels, " channels");
  weight = own("weight", Parameter(Shape{channels}), init::ones());
  bias = own("bias", Parameter(Shape{channels}), init::zeros());
}

Var LayerNorm::operator()(const Var& x) const {
  const ErrorPlace here(path());
  return observed("LayerNorm", layer_norm(x, x.lift(weight), x.lift(bias), options_.eps));
}

}  // namespace pliant
