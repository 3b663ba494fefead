#include <pliant/autograd/ops/roi_align.h>

#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/regions.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/roi_align.h>

namespace pliant {
namespace {

Vars gradients(const char* op, const RoiAlignGeometry& g, const StepView& step) {
  const Tensor& dy = step.cotangent().value();
  const Tensor rois = step.saved(0).value();
  const RegionGeometry& region = g.region;
  const Shape shape{region.n, region.h, region.w, region.c};
  if (dy.size() == 0) return {Tensor::zeros(shape, dy.dtype(), dy.device())};
  Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
  Workspace workspace(dy.device());
  visit_floating(op, dy.dtype(), [&]<class T>() {
    kernel<RoiAlignGradient<T>, cpu::roi_align_gradient, cuda::roi_align_gradient>(op, dy.device())(
        g, rois.data<T>(), dy.data<T>(), dx.mutable_data<T>(), workspace);
  });
  return {dx};
}

Var align(const char* op, const Var& x, const Tensor& rois, const RoiAlignGeometry& g) {
  require(g.sampling_ratio >= 0, op, ": the sampling ratio is ", g.sampling_ratio,
          ", expected at least 0");
  const RegionGeometry& region = g.region;
  Tensor y = Tensor::empty({region.r, region.p, region.q, region.k}, x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(op, x.dtype(), [&]<class T>() {
      kernel<RoiAlignForward<T>, cpu::roi_align_forward, cuda::roi_align_forward>(op, x.device())(
          g, x.value().data<T>(), rois.data<T>(), y.mutable_data<T>(), workspace);
    });
  return record(op, std::move(y), {x}, {rois},
                [op, g](const StepView& step) { return gradients(op, g, step); });
}

}  // namespace

Var roi_align(const Var& x, const Tensor& rois, const RoiAlignOptions& options) {
  const ErrorOp here("roi_align");
  if (is_bfloat16(x)) return in_float32("roi_align", roi_align, x, rois, options);
  const char* const op = "roi_align";
  return align(op, x, rois,
               {region_geometry(op, x, rois, options.output_size, options.spatial_scale, 1,
                                options.sampling_ratio),
                options.sampling_ratio, options.aligned});
}

Var ps_roi_align(const Var& x, const Tensor& rois, const PsRoiAlignOptions& options) {
  const ErrorOp here("ps_roi_align");
  if (is_bfloat16(x)) return in_float32("ps_roi_align", ps_roi_align, x, rois, options);
  const char* const op = "ps_roi_align";
  return align(op, x, rois,
               {region_geometry(op, x, rois, options.output_size, options.spatial_scale,
                                options.output_size, options.sampling_ratio),
                options.sampling_ratio, true});
}

}  // namespace pliant
