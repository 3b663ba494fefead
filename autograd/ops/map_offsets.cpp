#include <pliant/autograd/ops/map_offsets.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/map_offsets.h>

namespace pliant {
namespace {

constexpr const char* kOp = "map_offsets";

Vars gradients(const MapOffsetsGeometry& g, const StepView& step) {
  const Tensor x = step.saved(0).value(), offset = step.saved(1).value();
  Tensor dx, doffset;
  if (step.wants(0)) dx = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (step.wants(1)) doffset = Tensor::empty(offset.shape(), x.dtype(), x.device());
  if (x.size() == 0) return {dx, doffset};
  Workspace workspace(x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
    kernel<MapOffsetsGradient<T>, cpu::map_offsets_gradient, cuda::map_offsets_gradient>(
        kOp, x.device())(g, x.data<T>(), offset.data<T>(), step.cotangent().value().data<T>(),
                         to(dx), to(doffset), workspace);
  });
  return {dx, doffset};
}

}  // namespace

Var map_offsets(const Var& x, const Var& offset, const MapOffsetsOptions& options) {
  const ErrorOp here("map_offsets");
  if (is_bfloat16(x)) return in_float32("map_offsets", map_offsets, x, offset, options);
  require_rank(kOp, "the input", x, 4, "[N H W C]");
  require_rank(kOp, "the offset", offset, 4, "[N H W 2*C]");
  require_same_kind(kOp, {{"x", &x}, {"offset", &offset}});
  const MapOffsetsGeometry g{x.dim(0), x.dim(1), x.dim(2), x.dim(3), options.at_integers};
  require_map_fits(kOp, g.h, g.w);
  const Shape offsets{g.n, g.h, g.w, 2 * g.c};
  require(offset.shape() == offsets, kOp, ": the offset has shape ", offset.shape(), ", expected ",
          offsets, " (one dy, dx pair per pixel and channel)");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Workspace workspace(x.device());
  if (y.size() > 0)
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<MapOffsetsForward<T>, cpu::map_offsets_forward, cuda::map_offsets_forward>(
          kOp, x.device())(g, x.value().data<T>(), offset.value().data<T>(), y.mutable_data<T>(),
                           workspace);
    });
  return record(kOp, std::move(y), {x, offset}, {x, offset},
                [g](const StepView& step) { return gradients(g, step); });
}

}  // namespace pliant
