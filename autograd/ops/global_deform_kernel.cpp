#include <pliant/autograd/ops/global_deform_kernel.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/conv_passes.h>
#include <pliant/autograd/ops/conv2d_per_image.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/global_deform_kernel.h>

namespace pliant {
namespace {

constexpr const char* kOp = "global_deform_kernel";

GlobalDeformKernelGeometry checked_geometry(const Var& weight, const Var& offset,
                                            const Size2& kernel) {
  require_rank(kOp, "the weight", weight, 4, "[K SH SW C/groups]");
  require_rank(kOp, "the offset", offset, 2, "[N 2*R*S]");
  require_same_kind(kOp, {{"weight", &weight}, {"offset", &offset}});
  require(kernel.h >= 1 && kernel.w >= 1, kOp, ": the kernel is empty (", kernel.h, " x ", kernel.w,
          ")");
  require_pixels(kOp, "the kernel", 1, {kernel.h, kernel.w});
  const GlobalDeformKernelGeometry g{offset.dim(0), weight.dim(0), weight.dim(3), kernel.h,
                                     kernel.w,      weight.dim(1), weight.dim(2)};
  require(g.scope_h >= 1 && g.scope_w >= 1, kOp, ": the scope is empty (weight ", weight.shape(),
          ")");
  require_map_fits(kOp, g.scope_h, g.scope_w);
  const std::int64_t numbers = checked_product(kOp, {2, g.taps()});
  require(offset.dim(1) == numbers, kOp, ": the offset has shape ", offset.shape(), ", expected [",
          g.n, " ", numbers, "] (one dy, dx pair per image and tap)");
  return g;
}

Vars gradients(const GlobalDeformKernelGeometry& g, const NodeView& node) {
  const Tensor weight = node.saved(0).value(), offset = node.saved(1).value();
  Tensor dweight, doffset;
  if (node.wants(0)) dweight = Tensor::empty(weight.shape(), weight.dtype(), weight.device());
  if (node.wants(1)) doffset = Tensor::empty(offset.shape(), offset.dtype(), offset.device());
  if (node.cotangent().size() == 0)
    make_zero({&dweight, &doffset});
  else
    visit_floating(kOp, weight.dtype(), [&]<class T>() {
      kernel<GlobalDeformKernelGradient<T>, cpu::global_deform_kernel_gradient,
             cuda::global_deform_kernel_gradient>(kOp, weight.device())(
          g, weight.data<T>(), offset.data<T>(), node.cotangent().value().data<T>(),
          mutable_or_null<T>(dweight), mutable_or_null<T>(doffset));
    });
  return {dweight, doffset};
}

}  // namespace

Var kernels_of_scope(const Var& weight, const Var& offset, const Size2& size) {
  const GlobalDeformKernelGeometry g = checked_geometry(weight, offset, size);
  Tensor kernels = Tensor::empty({g.n, g.k, g.r, g.s, g.c}, weight.dtype(), weight.device());
  if (kernels.size() > 0)
    visit_floating(kOp, weight.dtype(), [&]<class T>() {
      kernel<GlobalDeformKernelForward<T>, cpu::global_deform_kernel_forward,
             cuda::global_deform_kernel_forward>(kOp, weight.device())(
          g, weight.value().data<T>(), offset.value().data<T>(), kernels.mutable_data<T>());
    });
  return record(kOp, std::move(kernels), {weight, offset}, {weight, offset},
                [g](const NodeView& node) { return gradients(g, node); });
}

Var global_deform_kernel(const Var& x, const Var& offset, const Var& weight, const Size2& kernel,
                         const Var& bias, const ConvOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x))
    return in_float32("global_deform_kernel", global_deform_kernel, x, offset, weight, kernel, bias,
                      options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_same_kind(kOp, {{"x", &x}, {"offset", &offset}, {"weight", &weight}, {"bias", &bias}});
  const GlobalDeformKernelGeometry g = checked_geometry(weight, offset, kernel);
  require(g.n == x.dim(0), kOp, ": offsets of ", g.n, " images for ", x.dim(0), " images");
  conv_geometry(kOp, x.shape(), Shape{g.k, g.r, g.s, g.c}, options);
  return conv2d_per_image(x, kernels_of_scope(weight, offset, kernel), bias, options);
}

}  // namespace pliant
