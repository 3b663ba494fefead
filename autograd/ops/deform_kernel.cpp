#include <pliant/autograd/ops/deform_kernel.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

DeformKernelGeometry checked_geometry(const char* op, const Var& x, const Var& rotation,
                                      const Var& weight, const Var& bias,
                                      const DeformKernelOptions& options) {
  require_rank(op, "the input", x, 4, "[N H W C]");
  require_rank(op, "the rotation", rotation, 4, "[N P Q 2*rotation_groups*R*S]");
  require_rank(op, "the weight", weight, 4, "[K SH SW C/groups]");
  require_pixels(op, "the kernel", 1, {options.kernel.h, options.kernel.w});
  const Shape kernel{weight.dim(0), options.kernel.h, options.kernel.w, weight.dim(3)};
  DeformKernelGeometry g{};
  g.conv = conv_geometry(op, x.shape(), kernel,
                         {options.stride, options.padding, options.dilation, options.groups});
  g.scope_h = weight.dim(1), g.scope_w = weight.dim(2);
  g.rotation_groups = options.rotation_groups;
  const Conv2dGeometry& c = g.conv;
  require_channels(op, c.c, c.k);
  require(g.scope_h >= 1 && g.scope_w >= 1, op, ": the scope is empty (weight ", weight.shape(),
          ")");
  require_map_fits(op, c.h, c.w);
  require_map_fits(op, g.scope_h, g.scope_w);
  require(g.rotation_groups >= 1 && g.rotation_groups <= c.c, op, ": ", g.rotation_groups,
          " rotation groups for ", c.c, " channels");
  const Shape rotations{c.n, c.p, c.q, checked_product(op, {2, g.rotation_groups, g.taps()})};
  require(rotation.shape() == rotations, op, ": the rotation has shape ", rotation.shape(),
          ", expected ", rotations, " (one dy, dx pair per output pixel, rotation group and tap)");
  require_shape_if(op, "bias", bias, {c.k});
  return g;
}

Vars gradients(const char* op, const DeformKernelGeometry& g, const StepView& step) {
  const Tensor& dy = step.cotangent().value();
  const Tensor saved[4] = {step.saved(0).value(), step.saved(1).value(), step.saved(2).value(),
                           step.saved(3).value()};
  Tensor of[4];
  const auto make = [&](const Shape& shape) {
    return Tensor::empty(shape, dy.dtype(), dy.device());
  };
  for (std::size_t i = 0; i < 3; ++i)
    if (step.wants(i)) of[i] = make(saved[i].shape());
  if (step.wants(3)) of[3] = make({g.conv.k, g.scope_h, g.scope_w, g.conv.c / g.conv.groups});
  Workspace workspace(dy.device());
  if (dy.size() == 0)
    make_zero({&of[0], &of[1], &of[2], &of[3]});
  else
    visit_floating(op, dy.dtype(), [&]<class T>() {
      const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
      kernel<DeformKernelGradient<T>, cpu::deform_kernel_gradient, cuda::deform_kernel_gradient>(
          op, dy.device())(g,
                           {.x = data_or_null<T>(saved[0]),
                            .offset = data_or_null<T>(saved[1]),
                            .rotation = data_or_null<T>(saved[2]),
                            .weight = data_or_null<T>(saved[3]),
                            .dy = dy.data<T>(),
                            .dx = to(of[0]),
                            .doffset = to(of[1]),
                            .drotation = to(of[2]),
                            .dweight = to(of[3])},
                           workspace);
    });
  return {of[0], of[1], of[2], of[3], step.wants(4) ? sum_to(step.cotangent(), {g.conv.k}) : Var()};
}

// `offset` may be undefined.
Var run(const char* op, const DeformKernelGeometry& g, const Var& x, const Var& offset,
        const Var& rotation, const Var& weight, const Var& bias) {
  require_same_kind(op, {{"x", &x},
                         {"offset", &offset},
                         {"rotation", &rotation},
                         {"weight", &weight},
                         {"bias", &bias}});
  Tensor y = Tensor::empty({g.conv.n, g.conv.p, g.conv.q, g.conv.k}, x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(op, x.dtype(), [&]<class T>() {
      kernel<DeformKernelForward<T>, cpu::deform_kernel_forward, cuda::deform_kernel_forward>(
          op, x.device())(g,
                          {.x = x.value().data<T>(),
                           .offset = data_or_null<T>(offset.value()),
                           .rotation = rotation.value().data<T>(),
                           .weight = weight.value().data<T>(),
                           .bias = data_or_null<T>(bias.value()),
                           .y = y.mutable_data<T>()},
                          workspace);
    });
  const bool inputs = x.wants_gradient() || offset.wants_gradient() || rotation.wants_gradient();
  const bool columns = inputs || weight.wants_gradient();
  return record(op, std::move(y), {x, offset, rotation, weight, bias},
                {keep_if(columns, x), keep_if(columns, offset), keep_if(columns, rotation),
                 keep_if(inputs, weight)},
                [op, g](const StepView& step) { return gradients(op, g, step); });
}

}  // namespace

Var deform_kernel(const Var& x, const Var& rotation, const Var& weight, const Var& bias,
                  const DeformKernelOptions& options) {
  const ErrorOp here("deform_kernel");
  if (is_bfloat16(x))
    return in_float32("deform_kernel", deform_kernel, x, rotation, weight, bias, options);
  constexpr const char* kOp = "deform_kernel";
  const auto g = checked_geometry(kOp, x, rotation, weight, bias, options);
  return run(kOp, g, x, {}, rotation, weight, bias);
}

Var deform_kernel_conv(const Var& x, const Var& offset, const Var& rotation, const Var& weight,
                       const Var& bias, const DeformKernelOptions& options) {
  const ErrorOp here("deform_kernel_conv");
  if (is_bfloat16(x))
    return in_float32("deform_kernel_conv", deform_kernel_conv, x, offset, rotation, weight, bias,
                      options);
  constexpr const char* kOp = "deform_kernel_conv";
  const auto g = checked_geometry(kOp, x, rotation, weight, bias, options);
  const Shape offsets{g.conv.n, g.conv.p, g.conv.q, 2 * g.taps()};
  require(offset.defined(), kOp, ": the offset is undefined");
  require(offset.shape() == offsets, kOp, ": the offset has shape ", offset.shape(), ", expected ",
          offsets, " (one dy, dx pair per output pixel and tap)");
  return run(kOp, g, x, offset, rotation, weight, bias);
}

}  // namespace pliant
