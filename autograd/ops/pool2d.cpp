#include <pliant/autograd/ops/pool2d.h>

#include <limits>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/pool2d.h>

namespace pliant {
namespace {

// Checks one direction and gives the output's extent along it.
std::int64_t pooled_extent(const char* along, const Shape& x, std::int64_t size,
                           std::int64_t kernel, std::int64_t stride, std::int64_t before,
                           std::int64_t after, std::int64_t dilation) {
  require(kernel >= 1 && stride >= 1 && dilation >= 1, "max_pool2d: kernel ", kernel, ", stride ",
          stride, " and dilation ", dilation, " along ", along, " must be at least 1");
  require(before >= 0 && after >= 0 && before <= kernel / 2 && after <= kernel / 2,
          "max_pool2d: padding ", before, " and ", after, " along ", along,
          " must be from 0 to half the kernel (", kernel, ")");
  require(kernel - 1 <= (size + before + after - 1) / dilation, "max_pool2d: a window of ", kernel,
          " taps with dilation ", dilation, " does not fit along ", along, " into ", x,
          " padded by ", before, " and ", after);
  return (size + before + after - dilation * (kernel - 1) - 1) / stride + 1;
}

Pool2dGeometry checked_geometry(const Var& x, const MaxPoolOptions& o) {
  require_rank("max_pool2d", "the input", x, 4, "[N H W C]");
  require_same_kind("max_pool2d", {&x});
  const Shape& shape = x.shape();
  require(shape[1] > 0 && shape[2] > 0, "max_pool2d: the input ", shape, " has no pixels");
  require(shape[1] <= std::numeric_limits<std::int32_t>::max() / shape[2],
          "max_pool2d: the maps of ", shape, " have more than 2^31 - 1 pixels");
  return {.n = shape[0],
          .h = shape[1],
          .w = shape[2],
          .c = shape[3],
          .r = o.kernel.h,
          .s = o.kernel.w,
          .p = pooled_extent("H", shape, shape[1], o.kernel.h, o.stride.h, o.padding.top,
                             o.padding.bottom, o.dilation.h),
          .q = pooled_extent("W", shape, shape[2], o.kernel.w, o.stride.w, o.padding.left,
                             o.padding.right, o.dilation.w),
          .stride_h = o.stride.h,
          .stride_w = o.stride.w,
          .pad_top = o.padding.top,
          .pad_left = o.padding.left,
          .dilation_h = o.dilation.h,
          .dilation_w = o.dilation.w};
}

}  // namespace

Var max_pool2d(const Var& x, const MaxPoolOptions& options) {
  const Pool2dGeometry g = checked_geometry(x, options);
  Tensor y = Tensor::empty({g.n, g.p, g.q, g.c}, x.dtype(), x.device());
  Tensor index = Tensor::empty(y.shape(), DType::int32, x.device());
  visit_floating("max_pool2d", x.dtype(), [&]<class T>() {
    kernel<MaxPool2dForward<T>, cpu::max_pool2d_forward, cuda::max_pool2d_forward>(
        "max_pool2d", x.device())(g, x.value().data<T>(), y.mutable_data<T>(),
                                  index.mutable_data<std::int32_t>());
  });
  return record("max_pool2d", std::move(y), {x}, {index}, [g](const StepView& step) -> Vars {
    const Tensor& dy = step.cotangent().value();
    Tensor dx = Tensor::empty({g.n, g.h, g.w, g.c}, dy.dtype(), dy.device());
    visit_floating("max_pool2d", dy.dtype(), [&]<class T>() {
      kernel<MaxPool2dGradient<T>, cpu::max_pool2d_gradient, cuda::max_pool2d_gradient>(
          "max_pool2d", dy.device())(g, step.saved(0).value().data<std::int32_t>(), dy.data<T>(),
                                     dx.mutable_data<T>());
    });
    return {dx};
  });
}

Var global_avg_pool2d(const Var& x) {
  require_rank("global_avg_pool2d", "the input", x, 4, "[N H W C]");
  require_same_kind("global_avg_pool2d", {&x});
  require(x.dim(1) > 0 && x.dim(2) > 0, "global_avg_pool2d: the input ", x.shape(),
          " has no pixels");
  return mean(x, {1, 2});
}

}  // namespace pliant
