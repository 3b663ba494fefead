#include <pliant/layers/batch_norm2d.h>

#include <algorithm>
#include <limits>
#include <span>

#include <pliant/core/kernel.h>

namespace pliant {
namespace {

std::int64_t checked(const char* kind, std::int64_t channels) {
  const ErrorOp here(kind);
  require(channels >= 1, kind, ": over ", channels, " channels");
  const Shape fits{channels};
  return fits[0];
}

// A variance that the buffer's type cannot hold would be infinite from here on, and the net's
// results constants. On a GPU nobody looks.
void require_in_range(const char* kind, const Buffer& running_var, const Tensor& value) {
  if (value.device() != Device::cpu()) return;
  visit_floating(kind, value.dtype(), [&]<class T>() {
    const std::span<const T> all = value.span<T>();
    const auto infinite = std::find(all.begin(), all.end(), std::numeric_limits<T>::infinity());
    require(infinite == all.end(), kind, ": ", running_var.name(), " of channel ",
            infinite - all.begin(), " does not fit ", value.dtype(),
            ": the layer's input is too large; normalise or clip it before");
  });
}

// Loaded from elsewhere, a variance below 0 would make its channel NaN.
void require_no_negative(const char* kind, const Buffer& running_var) {
  const Tensor& value = running_var.value();
  if (value.device() != Device::cpu()) return;
  visit_floating(kind, value.dtype(), [&]<class T>() {
    const std::span<const T> all = value.span<T>();
    const auto negative =
        std::find_if(all.begin(), all.end(), [](T v) { return static_cast<double>(v) < 0; });
    require(negative == all.end(), kind, ": ", running_var.name(), " of channel ",
            negative - all.begin(), " is ",
            negative == all.end() ? 0.0 : static_cast<double>(*negative),
            ", expected a variance of at least 0");
  });
}

void commit(const Buffer& buffer, const Tensor& value) {
  Tensor tensor = buffer.value();  // the same storage
  tensor.copy_from(value.to(tensor.dtype()));
}

}  // namespace

BatchNorm2d::BatchNorm2d(std::int64_t channels, BatchNorm2dOptions options)
    : BatchNorm2d("BatchNorm2d", channels, options) {}

BatchNorm2d::BatchNorm2d(const char* kind, std::int64_t channels, BatchNorm2dOptions options)
    : weight(own("weight", Parameter(Shape{checked(kind, channels)}), init::ones())),
      bias(own("bias", Parameter(Shape{channels}), init::zeros())),
      running_mean(own("running_mean", Buffer(Shape{channels}), init::zeros())),
      running_var(own("running_var", Buffer(Shape{channels}), init::ones())),
      kind_(kind),
      options_(options) {}

Var BatchNorm2d::operator()(const Var& x) const {
  const ErrorPlace here(path());
  const Var scale = x.lift(weight), shift = x.lift(bias);
  const Tensor &mean = running_mean.value(), &var = running_var.value();
  Var y;
  if (x.training() && !frozen()) {
    BatchStatistics result = batch_norm2d_training(x, scale, shift, mean, var, options_);
    if (x.updates_buffers()) {
      require_in_range(kind_, running_var, result.running_var);
      commit(running_mean, result.running_mean);
      commit(running_var, result.running_var);
    }
    y = std::move(result.y);
  } else {
    require_no_negative(kind_, running_var);
    y = batch_norm2d(x, scale, shift, mean, var, options_);
  }
  return observed(kind_, y, y.size());
}

}  // namespace pliant
