#include <pliant/autograd/ops/global_deform_kernel.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/global_kernel.h>

namespace pliant {
namespace {

constexpr const char* kOp = "global_deform_kernel";

GlobalKernelGeometry checked_geometry(const char* op, const Var& weight, const Var& offset,
                                      const Size2& kernel) {
  require_rank(op, "the weight", weight, 4, "[K SH SW C/groups]");
  require_rank(op, "the offset", offset, 2, "[N 2*R*S]");
  require_same_kind(op, {{"weight", &weight}, {"offset", &offset}});
  require(kernel.h >= 1 && kernel.w >= 1, op, ": the kernel is empty (", kernel.h, " x ", kernel.w,
          ")");
  require_pixels(op, "the kernel", 1, {kernel.h, kernel.w});
  const GlobalKernelGeometry g{offset.dim(0), weight.dim(0), weight.dim(3), kernel.h,
                               kernel.w,      weight.dim(1), weight.dim(2)};
  require(g.scope_h >= 1 && g.scope_w >= 1, op, ": the scope is empty (weight ", weight.shape(),
          ")");
  require_map_fits(op, g.scope_h, g.scope_w);
  const std::int64_t numbers = checked_product(op, {2, g.taps()});
  require(offset.dim(1) == numbers, op, ": the offset has shape ", offset.shape(), ", expected [",
          g.n, " ", numbers, "] (one dy, dx pair per image and tap)");
  return g;
}

Vars gradients(const GlobalKernelGeometry& g, const StepView& step) {
  const Tensor weight = step.saved(0).value(), offset = step.saved(1).value();
  Tensor dweight, doffset;
  if (step.wants(0)) dweight = Tensor::empty(weight.shape(), weight.dtype(), weight.device());
  if (step.wants(1)) doffset = Tensor::empty(offset.shape(), offset.dtype(), offset.device());
  if (step.cotangent().size() == 0)
    make_zero({&dweight, &doffset});
  else
    visit_floating(kOp, weight.dtype(), [&]<class T>() {
      kernel<GlobalKernelGradient<T>, cpu::global_kernel_gradient, cuda::global_kernel_gradient>(
          kOp, weight.device())(g, weight.data<T>(), offset.data<T>(),
                                step.cotangent().value().data<T>(), mutable_or_null<T>(dweight),
                                mutable_or_null<T>(doffset));
    });
  return {dweight, doffset};
}

}  // namespace

Var kernels_of_scope(const Var& weight, const Var& offset, const Size2& size) {
  constexpr const char* kName = "kernels_of_scope";
  const ErrorOp here(kName);
  const GlobalKernelGeometry g = checked_geometry(kName, weight, offset, size);
  Tensor kernels = Tensor::empty({g.n, g.k, g.r, g.s, g.c}, weight.dtype(), weight.device());
  if (kernels.size() > 0)
    visit_floating(kName, weight.dtype(), [&]<class T>() {
      kernel<GlobalKernelForward<T>, cpu::global_kernel_forward, cuda::global_kernel_forward>(
          kName, weight.device())(g, weight.value().data<T>(), offset.value().data<T>(),
                                  kernels.mutable_data<T>());
    });
  return record(kName, std::move(kernels), {weight, offset}, {weight, offset},
                [g](const StepView& step) { return gradients(g, step); });
}

Var global_deform_kernel(const Var& x, const Var& offset, const Var& weight, const Size2& kernel,
                         const Var& bias, const ConvOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x))
    return in_float32("global_deform_kernel", global_deform_kernel, x, offset, weight, kernel, bias,
                      options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_same_kind(kOp, {{"x", &x}, {"offset", &offset}, {"weight", &weight}, {"bias", &bias}});
  const GlobalKernelGeometry g = checked_geometry(kOp, weight, offset, kernel);
  require(g.n == x.dim(0), kOp, ": offsets of ", g.n, " images for ", x.dim(0), " images");
  conv_geometry(kOp, x.shape(), Shape{g.k, g.r, g.s, g.c}, options);
  return conv2d_per_image(x, kernels_of_scope(weight, offset, kernel), bias, options);
}

}  // namespace pliant
