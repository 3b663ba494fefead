#include <pliant/autograd/ops/roi_pool.h>

#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/regions.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/ps_roi_pool.h>
#include <pliant/core/kernels/roi_pool.h>

namespace pliant {
namespace {

constexpr const char* kMax = "roi_pool";
constexpr const char* kMean = "ps_roi_pool";

Shape map_shape(const RegionGeometry& g) { return {g.n, g.h, g.w, g.c}; }
Shape result_shape(const RegionGeometry& g) { return {g.r, g.p, g.q, g.k}; }

Vars max_gradients(const RegionGeometry& g, const StepView& step) {
  const Tensor& dy = step.cotangent().value();
  const Tensor rois = step.saved(0).value(), index = step.saved(1).value();
  if (dy.size() == 0) return {Tensor::zeros(map_shape(g), dy.dtype(), dy.device())};
  Tensor dx = Tensor::empty(map_shape(g), dy.dtype(), dy.device());
  Workspace workspace(dy.device());
  visit_floating(kMax, dy.dtype(), [&]<class T>() {
    kernel<RoiPoolGradient<T>, cpu::roi_pool_gradient, cuda::roi_pool_gradient>(kMax, dy.device())(
        g, rois.data<T>(), index.data<std::int32_t>(), dy.data<T>(), dx.mutable_data<T>(),
        workspace);
  });
  return {dx};
}

Vars mean_gradients(const RegionGeometry& g, const StepView& step) {
  const Tensor& dy = step.cotangent().value();
  const Tensor rois = step.saved(0).value();
  if (dy.size() == 0) return {Tensor::zeros(map_shape(g), dy.dtype(), dy.device())};
  Tensor dx = Tensor::empty(map_shape(g), dy.dtype(), dy.device());
  Workspace workspace(dy.device());
  visit_floating(kMean, dy.dtype(), [&]<class T>() {
    kernel<PsRoiPoolGradient<T>, cpu::ps_roi_pool_gradient, cuda::ps_roi_pool_gradient>(
        kMean, dy.device())(g, rois.data<T>(), dy.data<T>(), dx.mutable_data<T>(), workspace);
  });
  return {dx};
}

}  // namespace

Var roi_pool(const Var& x, const Tensor& rois, const RoiPoolOptions& options) {
  const ErrorOp here("roi_pool");
  if (is_bfloat16(x)) return in_float32("roi_pool", roi_pool, x, rois, options);
  const RegionGeometry g =
      region_geometry(kMax, x, rois, options.output_size, options.spatial_scale);
  Tensor y = Tensor::empty(result_shape(g), x.dtype(), x.device());
  Tensor index = Tensor::empty(y.shape(), DType::int32, x.device());
  if (y.size() > 0)
    visit_floating(kMax, x.dtype(), [&]<class T>() {
      kernel<RoiPoolForward<T>, cpu::roi_pool_forward, cuda::roi_pool_forward>(kMax, x.device())(
          g, x.value().data<T>(), rois.data<T>(), y.mutable_data<T>(),
          index.mutable_data<std::int32_t>());
    });
  return record(kMax, std::move(y), {x}, {rois, index},
                [g](const StepView& step) { return max_gradients(g, step); });
}

Var ps_roi_pool(const Var& x, const Tensor& rois, const RoiPoolOptions& options) {
  const ErrorOp here("ps_roi_pool");
  if (is_bfloat16(x)) return in_float32("ps_roi_pool", ps_roi_pool, x, rois, options);
  const RegionGeometry g = region_geometry(kMean, x, rois, options.output_size,
                                           options.spatial_scale, options.output_size);
  Tensor y = Tensor::empty(result_shape(g), x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(kMean, x.dtype(), [&]<class T>() {
      kernel<PsRoiPoolForward<T>, cpu::ps_roi_pool_forward, cuda::ps_roi_pool_forward>(
          kMean, x.device())(g, x.value().data<T>(), rois.data<T>(), y.mutable_data<T>(),
                             workspace);
    });
  return record(kMean, std::move(y), {x}, {rois},
                [g](const StepView& step) { return mean_gradients(g, step); });
}

}  // namespace pliant
