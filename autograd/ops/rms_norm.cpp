#include <pliant/autograd/ops/rms_norm.h>

#include <limits>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/norm_gradients.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/layer_norm.h>

namespace pliant {
namespace {

constexpr const char* kOp = "rms_norm";

double spacing_at_one(DType dtype) {
  return dtype == DType::float64 ? std::numeric_limits<double>::epsilon()
                                 : static_cast<double>(std::numeric_limits<float>::epsilon());
}

Vars gradients(const LayerNormGeometry& g, const NodeView& node) {
  const Tensor x = node.saved(0).value(), weight = node.saved(1).value();
  Tensor dx, dweight;
  if (node.wants(0)) dx = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (node.wants(1)) dweight = Tensor::empty(weight.shape(), x.dtype(), x.device());
  if (dx.defined() || dweight.defined()) {
    Workspace workspace(x.device());
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<LayerNormGradient<T>, cpu::layer_norm_gradient, cuda::layer_norm_gradient>(
          kOp, x.device())(g, x.data<T>(), weight.data<T>(), node.cotangent().value().data<T>(),
                           mutable_or_null<T>(dx), mutable_or_null<T>(dweight), workspace);
    });
  }
  return {dx, dweight, Var()};
}

}  // namespace

Var rms_norm(const Var& x, const Var& weight, const RMSNormOptions& options) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x)) return in_float32(kOp, rms_norm, x, weight, options);
  require(x.defined(), kOp, ": the input is undefined");
  require(x.rank() >= 1 && x.dim(-1) >= 1, kOp, ": the input has shape ", x.shape(),
          ", expected a last axis of at least one element");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}});
  const Shape channels{x.dim(-1)};
  require_shape_if(kOp, "the weight", weight, channels);
  const double eps = options.eps.value_or(spacing_at_one(x.dtype()));
  require(eps >= 0, kOp, ": eps is ", eps, ", expected at least 0");
  const LayerNormGeometry g{x.size() / x.dim(-1), x.dim(-1), eps, NormAbout::zero};
  const Var scale =
      weight.defined() ? weight : Var(Tensor::full(channels, 1, x.dtype(), x.device()));
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<LayerNormForward<T>, cpu::layer_norm_forward, cuda::layer_norm_forward>(kOp, x.device())(
        g, x.value().data<T>(), scale.value().data<T>(), nullptr, y.mutable_data<T>());
  });
  return record(
      kOp, std::move(y), {x, scale, Var()}, {x, scale},
      [g](const NodeView& node) -> Vars {
        if (!node.creates_graph()) return gradients(g, node);
        return norm_gradients(node, node.saved(0), node.saved(1), {g.rows, g.c}, {1}, g.eps,
                              g.about);
      },
      Derivatives::all);
}

}  // namespace pliant
