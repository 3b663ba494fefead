#include <pliant/layers/batch_norm1d.h>

namespace pliant {

BatchNorm1d::BatchNorm1d(std::int64_t channels, BatchNorm1dOptions options)
    : BatchNorm2d("BatchNorm1d", channels, options) {}

Var BatchNorm1d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const ErrorOp op("BatchNorm1d");
  require(x.defined(), "BatchNorm1d: the input is undefined");
  require(x.rank() == 2 || x.rank() == 3, "BatchNorm1d: the input has shape ", x.shape(),
          ", expected [N C] or [N L C]");
  return BatchNorm2d::operator()(x);
}

}  // namespace pliant
