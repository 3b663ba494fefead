#include <pliant/autograd/ops/dcn.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

DcnGeometry checked_geometry(const char* op, const Var& x, const DcnOptions& options) {
  require_rank(op, "the input", x, 4, "[N H W C]");
  const std::int64_t c = x.dim(3), groups = options.groups;
  require(groups >= 1 && c >= 1 && c % groups == 0, op, ": ", c, " channels do not divide into ",
          groups, " groups");
  require_pixels(op, "the kernel", 1, {options.kernel.h, options.kernel.w});
  const Shape kernel{c, options.kernel.h, options.kernel.w, c / groups};
  DcnGeometry g;
  g.conv = conv_geometry(op, x.shape(), kernel,
                         {options.stride, options.padding, options.dilation, groups});
  require_map_fits(op, g.conv.h, g.conv.w);
  g.offset_scale = options.offset_scale;
  g.center = options.center;
  g.mask_rule = options.mask;
  require(g.taps() >= 1, op, ": a kernel of 1 x 1 has no taps without its middle one");
  return g;
}

// A last axis of `width` at each location.
void require_shape(const char* op, const char* what, const Var& var, const DcnGeometry& g,
                   std::int64_t width) {
  const Shape expected{g.conv.n, g.conv.p, g.conv.q, width};
  require(var.defined(), op, ": ", what, " is undefined");
  require(var.shape() == expected, op, ": ", what, " has shape ", var.shape(), ", expected ",
          expected);
}

// `mask_from`: where the first mask lies in its tensor.
Tensor forward(const char* op, const DcnGeometry& g, const Tensor& x, const Tensor& offset,
               const Tensor& mask, std::int64_t mask_from) {
  Tensor y = Tensor::empty({g.conv.n, g.conv.p, g.conv.q, g.conv.c}, x.dtype(), x.device());
  if (y.size() == 0) return y;
  Workspace workspace(x.device());
  visit_floating(op, x.dtype(), [&]<class T>() {
    kernel<DcnForward<T>, cpu::dcn_forward, cuda::dcn_forward>(op, x.device())(
        g, x.data<T>(), offset.data<T>(), mask.data<T>() + mask_from, y.mutable_data<T>(),
        workspace);
  });
  return y;
}

// Of the same shapes as x, offset and mask; undefined ones are left out, the last two together.
struct Results {
  Tensor x, offset, mask;
};

// Saved are x, then the offsets, then the masks if they are a tensor of their own.
void gradients(const char* op, const DcnGeometry& g, const StepView& step, std::size_t mask_index,
               std::int64_t mask_from, Results& to) {
  const Tensor x = step.saved(0).value(), offset = step.saved(1).value(),
               mask = step.saved(mask_index).value();
  if (step.cotangent().size() == 0) return make_zero({&to.x, &to.offset, &to.mask});
  Workspace workspace(x.device());
  visit_floating(op, x.dtype(), [&]<class T>() {
    const auto data = [](Tensor& t, std::int64_t from) {
      return t.defined() ? t.mutable_data<T>() + from : nullptr;
    };
    kernel<DcnGradient<T>, cpu::dcn_gradient, cuda::dcn_gradient>(op, x.device())(
        g,
        {.x = x.data<T>(),
         .offset = offset.data<T>(),
         .mask = mask.data<T>() + mask_from,
         .dy = step.cotangent().value().data<T>(),
         .dx = data(to.x, 0),
         .doffset = data(to.offset, 0),
         .dmask = data(to.mask, mask_from)},
        workspace);
  });
}

Tensor like(const Tensor& tensor) {
  return Tensor::empty(tensor.shape(), tensor.dtype(), tensor.device());
}

}  // namespace

Var dcn_v3(const Var& x, const Var& offset, const Var& mask, const DcnOptions& options) {
  const ErrorOp here("dcn_v3");
  if (is_bfloat16(x)) return in_float32("dcn_v3", dcn_v3, x, offset, mask, options);
  constexpr const char* kOp = "dcn_v3";
  DcnGeometry g = checked_geometry(kOp, x, options);
  const std::int64_t width = checked_product(kOp, {g.conv.groups, g.taps()});
  require_shape(kOp, "the offset", offset, g, checked_product(kOp, {2, width}));
  require_shape(kOp, "the mask", mask, g, width);
  require_same_kind(kOp, {{"x", &x}, {"offset", &offset}, {"mask", &mask}});
  g.offsets = {2 * width, 2 * g.taps()};
  g.masks = {width, g.taps()};
  return record(kOp, forward(kOp, g, x.value(), offset.value(), mask.value(), 0), {x, offset, mask},
                {x, offset, mask}, [g](const StepView& step) -> Vars {
                  Results to;
                  if (step.wants(0)) to.x = like(step.saved(0).value());
                  if (step.wants(1) || step.wants(2)) {
                    to.offset = like(step.saved(1).value());
                    to.mask = like(step.saved(2).value());
                  }
                  gradients(kOp, g, step, 2, 0, to);
                  return {to.x, to.offset, to.mask};
                });
}

std::int64_t dcn_v4_width(const DcnOptions& options) {
  constexpr const char* kWho = "dcn_v4_width";
  require_pixels(kWho, "the kernel", 1, {options.kernel.h, options.kernel.w});
  require(options.groups >= 1, kWho, ": groups must be at least 1, got ", options.groups);
  const std::int64_t taps =
      options.kernel.h * options.kernel.w - (options.center == CenterTap::remove ? 1 : 0);
  return checked_product(kWho,
                         {ceil_quotient(checked_product(kWho, {3, options.groups, taps}), 8), 8});
}

Var dcn_v4(const Var& x, const Var& offset_mask, const DcnOptions& options) {
  const ErrorOp here("dcn_v4");
  if (is_bfloat16(x)) return in_float32("dcn_v4", dcn_v4, x, offset_mask, options);
  constexpr const char* kOp = "dcn_v4";
  DcnGeometry g = checked_geometry(kOp, x, options);
  const std::int64_t width = dcn_v4_width(options), masks = 2 * g.taps();
  require_shape(kOp, "the tensor of offsets and masks", offset_mask, g, width);
  require_same_kind(kOp, {{"x", &x}, {"offset_mask", &offset_mask}});
  g.offsets = g.masks = {width, 3 * g.taps()};
  const Tensor& both = offset_mask.value();
  return record(kOp, forward(kOp, g, x.value(), both, both, masks), {x, offset_mask},
                {x, offset_mask}, [g, masks](const StepView& step) -> Vars {
                  Results to;
                  if (step.wants(0)) to.x = like(step.saved(0).value());
                  if (step.wants(1)) {
                    const Tensor saved = step.saved(1).value();
                    to.offset = Tensor::zeros(saved.shape(), saved.dtype(), saved.device());
                    to.mask = to.offset;  // shares its memory
                  }
                  gradients(kOp, g, step, 1, masks, to);
                  return {to.x, to.offset};
                });
}

}  // namespace pliant
