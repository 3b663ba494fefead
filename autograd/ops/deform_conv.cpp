#include <pliant/autograd/ops/deform_conv.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

constexpr const char* kOp = "deform_conv2d";

DeformGeometry checked_geometry(const Var& x, const Var& offset, const Var& mask, const Var& weight,
                                const Var& bias, const DeformConvOptions& options) {
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the offset", offset, 4, "[N P Q 2*offset_groups*R*S]");
  require_rank(kOp, "the weight", weight, 4, "[K R S C/groups]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  require_wide_kind(kOp, x, {{"offset", &offset}, {"mask", &mask}});
  const std::int64_t groups = options.offset_groups;
  DeformGeometry g;
  g.conv = conv_geometry(kOp, x.shape(), weight.shape(),
                         {options.stride, options.padding, options.dilation, options.groups});
  g.offset_groups = groups;
  g.boundary = options.boundary;
  const Conv2dGeometry& c = g.conv;
  require_channels(kOp, c.c, c.k);
  require_map_fits(kOp, c.h, c.w);
  require(groups >= 1 && c.c % groups == 0, kOp, ": ", c.c, " channels do not divide into ", groups,
          " offset groups");
  const Shape offsets{c.n, c.p, c.q, checked_product(kOp, {2, groups, c.r, c.s})};
  require(offset.shape() == offsets, kOp, ": the offset has shape ", offset.shape(), ", expected ",
          offsets, " (one dy, dx pair per output pixel, offset group and tap)");
  const Shape masks{c.n, c.p, c.q, groups * c.r * c.s};
  require_shape_if(kOp, "the mask", mask, masks);
  require_shape_if(kOp, "bias", bias, {c.k});
  return g;
}

Vars gradients(const DeformGeometry& g, const StepView& step) {
  const Tensor& dy = step.cotangent().value();
  const Conv2dGeometry& c = g.conv;
  const Tensor x = step.saved(0).value(), offset = step.saved(1).value(),
               mask = step.saved(2).value(), weight = step.saved(3).value();
  Tensor of[4];
  const Tensor* const like[3] = {&x, &offset, &mask};
  for (std::size_t i = 0; i < 3; ++i)
    if (step.wants(i)) of[i] = Tensor::empty(like[i]->shape(), like[i]->dtype(), dy.device());
  if (step.wants(3))
    of[3] = Tensor::empty({c.k, c.r, c.s, c.c / c.groups}, dy.dtype(), dy.device());
  Workspace workspace(dy.device());
  if (dy.size() == 0)
    make_zero({&of[0], &of[1], &of[2], &of[3]});
  else
    visit_any_floating(kOp, dy.dtype(), [&]<class T>() {
      using W = Wide<T>;
      kernel<DeformConvGradient<T>, cpu::deform_conv_gradient, cuda::deform_conv_gradient>(
          kOp, dy.device())(g,
                            {.x = data_or_null<T>(x),
                             .offset = data_or_null<W>(offset),
                             .mask = data_or_null<W>(mask),
                             .weight = data_or_null<T>(weight),
                             .dy = dy.data<T>(),
                             .dx = mutable_or_null<T>(of[0]),
                             .doffset = mutable_or_null<W>(of[1]),
                             .dmask = mutable_or_null<W>(of[2]),
                             .dweight = mutable_or_null<T>(of[3])},
                            workspace);
    });
  return {of[0], of[1], of[2], of[3], step.wants(4) ? sum_to(step.cotangent(), {c.k}) : Var()};
}

}  // namespace

Var deform_conv2d(const Var& x, const Var& offset, const Var& mask, const Var& weight,
                  const Var& bias, const DeformConvOptions& options) {
  const ErrorOp here(kOp);
  if (is_mixed(x, weight))
    return deform_conv2d(x, offset, mask, rounded(weight), rounded(bias), options);
  if (is_bfloat16(x) && (is_bfloat16(offset) || is_bfloat16(mask)))
    return deform_conv2d(x, widened(offset), widened(mask), weight, bias, options);
  const DeformGeometry g = checked_geometry(x, offset, mask, weight, bias, options);
  const Conv2dGeometry& c = g.conv;
  Tensor y = Tensor::empty({c.n, c.p, c.q, c.k}, x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_any_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<DeformConvForward<T>, cpu::deform_conv_forward, cuda::deform_conv_forward>(
          kOp, x.device())(g,
                           {.x = x.value().data<T>(),
                            .offset = offset.value().data<Wide<T>>(),
                            .mask = data_or_null<Wide<T>>(mask.value()),
                            .weight = weight.value().data<T>(),
                            .bias = data_or_null<T>(bias.value()),
                            .y = y.mutable_data<T>()},
                           workspace);
    });
  const bool sampled = x.wants_gradient() || offset.wants_gradient() || mask.wants_gradient();
  const bool columns = sampled || weight.wants_gradient();
  return record(kOp, std::move(y), {x, offset, mask, weight, bias},
                {keep_if(columns, x), keep_if(columns, offset), keep_if(columns, mask),
                 keep_if(sampled, weight)},
                [g](const StepView& step) { return gradients(g, step); });
}

}  // namespace pliant
