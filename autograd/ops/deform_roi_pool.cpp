#include <pliant/autograd/ops/deform_roi_pool.h>

#include <cmath>

#include <pliant/autograd/internal/roi.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/deform_roi_pool.h>

namespace pliant {
namespace {

constexpr const char* kOp = "deform_roi_pool";

// Checks trans and gives its number of classes.
std::int64_t checked_classes(const RoIGeometry& region, const Var& trans, std::int64_t part) {
  if (!trans.defined()) return 1;
  require_rank(kOp, "trans", trans, 4, "[R part part 2*classes]");
  const Shape expected{region.r, part, part, trans.dim(3)};
  require(trans.shape() == expected && trans.dim(3) >= 2 && trans.dim(3) % 2 == 0, kOp,
          ": trans has shape ", trans.shape(), ", expected [", region.r, " ", part, " ", part,
          " 2*classes]");
  const std::int64_t classes = trans.dim(3) / 2;
  require(region.k % classes == 0, kOp, ": ", region.k, " output channels do not divide into ",
          classes, " classes (trans ", trans.shape(), ")");
  return classes;
}

DeformRoIPoolGeometry checked_geometry(const Var& x, const Tensor& rois, const Var& trans,
                                       const Var& mask, const DeformRoIPoolOptions& o) {
  DeformRoIPoolGeometry g;
  g.roi_align = o.rule == DeformRoIRule::roi_align;
  const std::int64_t least = g.roi_align ? 0 : 1;
  require(o.part_size >= 0 && o.sample_per_part >= least, kOp, ": part_size ", o.part_size,
          " and sample_per_part ", o.sample_per_part, ", expected at least 0 and ", least);
  g.region =
      roi_geometry(kOp, x, rois, o.pooled_size, o.spatial_scale, o.group_size, o.sample_per_part);
  const RoIGeometry& region = g.region;
  require_same_kind(kOp, {{"x", &x}, {"trans", &trans}, {"mask", &mask}});
  require(o.output_dim == 0 || o.output_dim == region.k, kOp, ": output_dim is ", o.output_dim,
          ", but ", region.c, " channels in ", o.group_size, " x ", o.group_size, " groups give ",
          region.k);
  require_pixels(kOp, "part_size", 0, {o.part_size});
  require(std::isfinite(o.trans_std), kOp, ": trans_std is ", o.trans_std,
          ", expected a finite number");
  g.part = o.part_size > 0 ? o.part_size : o.pooled_size;
  g.classes = checked_classes(region, trans, g.part);
  g.samples = o.sample_per_part;
  g.trans_std = o.trans_std;
  const Shape masks{region.r, region.p, region.q, 1};
  require_shape_if(kOp, "the mask", mask, masks);
  return g;
}

// By x, trans and mask, those that are wanted.
Vars gradients(const DeformRoIPoolGeometry& g, const NodeView& node) {
  const Tensor& dy = node.cotangent().value();
  const Tensor x = node.saved(0).value(), trans = node.saved(1).value();
  const Tensor mask = node.saved(2).value(), rois = node.saved(3).value();
  const RoIGeometry& region = g.region;
  Tensor all[3];
  const auto make = [&](std::size_t i, const Shape& shape) {
    all[i] = Tensor::empty(shape, dy.dtype(), dy.device());
  };
  if (node.wants(0)) make(0, {region.n, region.h, region.w, region.c});
  if (node.wants(1)) make(1, trans.shape());
  if (node.wants(2)) make(2, mask.shape());
  if (dy.size() == 0) {
    make_zero({&all[0], &all[1], &all[2]});
    return {all[0], all[1], all[2]};
  }
  Workspace workspace(dy.device());
  visit_floating(kOp, dy.dtype(), [&]<class T>() {
    const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
    kernel<DeformRoIPoolGradient<T>, cpu::deform_roi_pool_gradient, cuda::deform_roi_pool_gradient>(
        kOp, dy.device())(g,
                          {.x = data_or_null<T>(x),
                           .rois = rois.data<T>(),
                           .trans = data_or_null<T>(trans),
                           .mask = data_or_null<T>(mask),
                           .dy = dy.data<T>(),
                           .dx = to(all[0]),
                           .dtrans = to(all[1]),
                           .dmask = to(all[2])},
                          workspace);
  });
  return {all[0], all[1], all[2]};
}

}  // namespace

Var deform_roi_pool(const Var& x, const Tensor& rois, const Var& trans, const Var& mask,
                    const DeformRoIPoolOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x))
    return in_float32("deform_roi_pool", deform_roi_pool, x, rois, trans, mask, options);
  const DeformRoIPoolGeometry g = checked_geometry(x, rois, trans, mask, options);
  const RoIGeometry& region = g.region;
  Tensor y = Tensor::empty({region.r, region.p, region.q, region.k}, x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<DeformRoIPoolForward<T>, cpu::deform_roi_pool_forward, cuda::deform_roi_pool_forward>(
          kOp, x.device())(g, x.value().data<T>(), rois.data<T>(), data_or_null<T>(trans.value()),
                           data_or_null<T>(mask.value()), y.mutable_data<T>(), workspace);
    });
  const bool branch = trans.wants_gradient() || mask.wants_gradient();
  return record(kOp, std::move(y), {x, trans, mask}, {keep_if(branch, x), trans, mask, rois},
                [g](const NodeView& node) { return gradients(g, node); });
}

}  // namespace pliant
