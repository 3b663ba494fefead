#include <pliant/layers/group_norm.h>

namespace pliant {

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options)
    : groups_(groups), options_(options) {
  const ErrorOp here("GroupNorm");
  require(groups >= 1 && channels >= 1 && channels % groups == 0, "GroupNorm: ", channels,
          " channels do not divide into ", groups, " groups");
  weight = own("weight", Parameter(Shape{channels}), init::ones());
  bias = own("bias", Parameter(Shape{channels}), init::zeros());
}

Var GroupNorm::operator()(const Var& x) const {
  const ErrorPlace here(path());
  return observed("GroupNorm", group_norm(x, groups_, x.lift(weight), x.lift(bias), options_.eps));
}

}  // namespace pliant
