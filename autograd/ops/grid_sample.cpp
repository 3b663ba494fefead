#include <pliant/autograd/ops/grid_sample.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>

namespace pliant {
namespace {

constexpr const char* kOp = "grid_sample";

Vars gradients(const GridSampleGeometry& g, const StepView& step) {
  const Tensor x = step.saved(0).value(), grid = step.saved(1).value();
  const Tensor& dy = step.cotangent().value();
  Tensor dx, dgrid;
  if (step.wants(0)) dx = Tensor::empty({g.n, g.h, g.w, g.c}, dy.dtype(), dy.device());
  if (step.wants(1)) dgrid = Tensor::empty(grid.shape(), dy.dtype(), dy.device());
  if (dy.size() == 0)
    make_zero({&dx, &dgrid});
  else
    visit_floating(kOp, dy.dtype(), [&]<class T>() {
      kernel<GridSampleGradient<T>, cpu::grid_sample_gradient, cuda::grid_sample_gradient>(
          kOp, dy.device())(g, data_or_null<T>(x), grid.data<T>(), dy.data<T>(),
                            mutable_or_null<T>(dx), mutable_or_null<T>(dgrid));
    });
  return {dx, dgrid};
}

}  // namespace

Var grid_sample(const Var& x, const Var& grid, const GridSampleOptions& options) {
  const ErrorOp here("grid_sample");
  if (is_bfloat16(x)) return in_float32("grid_sample", grid_sample, x, grid, options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the grid", grid, 4, "[N P Q 2]");
  require_same_kind(kOp, {{"x", &x}, {"grid", &grid}});
  require(grid.dim(0) == x.dim(0) && grid.dim(3) == 2, kOp, ": the grid has shape ", grid.shape(),
          ", expected [", x.dim(0), " P Q 2] (input ", x.shape(), ")");
  require(x.dim(1) > 0 && x.dim(2) > 0, kOp, ": the input ", x.shape(), " has no pixels");
  require_map_fits(kOp, x.dim(1), x.dim(2));
  const GridSampleGeometry g{x.dim(0),    x.dim(1),     x.dim(2),        x.dim(3),    grid.dim(1),
                             grid.dim(2), options.rule, options.padding, options.span};
  Tensor y = Tensor::empty({g.n, g.p, g.q, g.c}, x.dtype(), x.device());
  if (y.size() > 0)
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<GridSampleForward<T>, cpu::grid_sample_forward, cuda::grid_sample_forward>(
          kOp, x.device())(g, x.value().data<T>(), grid.value().data<T>(), y.mutable_data<T>());
    });
  return record(kOp, std::move(y), {x, grid}, {keep_if(grid.wants_gradient(), x), grid},
                [g](const StepView& step) { return gradients(g, step); });
}

}  // namespace pliant
