#include <pliant/layers/batch_norm2d.h>

namespace pliant {
namespace {

void commit(const Buffer& buffer, const Tensor& value) {
  Tensor tensor = buffer.value();  // the same storage
  tensor.copy_from(value.to(tensor.dtype()));
}

}  // namespace

BatchNorm2d::BatchNorm2d(std::int64_t channels, BatchNorm2dOptions options)
    : weight(own("weight", Parameter(Shape{channels}), init::ones())),
      bias(own("bias", Parameter(Shape{channels}), init::zeros())),
      running_mean(own("running_mean", Buffer(Shape{channels}), init::zeros())),
      running_var(own("running_var", Buffer(Shape{channels}), init::ones())),
      options_(options) {}

Var BatchNorm2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var scale = x.lift(weight), shift = x.lift(bias);
  const Tensor &mean = running_mean.value(), &var = running_var.value();
  Var y;
  if (x.training() && !frozen()) {
    BatchStatistics result =
        batch_norm2d_training(x, scale, shift, mean, var, options_.eps, options_.momentum);
    if (x.updates_buffers()) {
      commit(running_mean, result.running_mean);
      commit(running_var, result.running_var);
    }
    y = std::move(result.y);
  } else {
    y = batch_norm2d(x, scale, shift, mean, var, options_.eps);
  }
  return observed("BatchNorm2d", y, y.size());
}

}  // namespace pliant
