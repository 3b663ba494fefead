#include <pliant/layers/rms_norm.h>

namespace pliant {
namespace {

std::int64_t checked(std::int64_t channels) {
  const ErrorOp here("RMSNorm");
  require(channels >= 1, "RMSNorm: over ", channels, " channels");
  const Shape fits{channels};
  return fits[0];
}

}  // namespace

RMSNorm::RMSNorm(std::int64_t channels, const RMSNormOptions& options)
    : weight(own("weight", Parameter(Shape{checked(channels)}), init::ones())), options_(options) {}

Var RMSNorm::operator()(const Var& x) const {
  const ErrorPlace here(path());
  return observed("RMSNorm", rms_norm(x, x.lift(weight), options_));
}

}  // namespace pliant
