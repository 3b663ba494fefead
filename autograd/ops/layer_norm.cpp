#include <pliant/autograd/ops/layer_norm.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/norm_gradients.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/layer_norm.h>

namespace pliant {
namespace {

constexpr const char* kOp = "layer_norm";

Vars gradients(const LayerNormGeometry& g, const NodeView& node) {
  const Tensor x = node.saved(0).value(), weight = node.saved(1).value();
  Tensor dx, dweight;
  if (node.wants(0)) dx = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (node.wants(1)) dweight = Tensor::empty(weight.shape(), x.dtype(), x.device());
  if (dx.defined() || dweight.defined()) {
    Workspace workspace(x.device());
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
      kernel<LayerNormGradient<T>, cpu::layer_norm_gradient, cuda::layer_norm_gradient>(
          kOp, x.device())(g, x.data<T>(), weight.data<T>(), node.cotangent().value().data<T>(),
                           to(dx), to(dweight), workspace);
    });
  }
  return {dx, dweight, node.wants(2) ? sum_to(node.cotangent(), {g.c}) : Var()};
}

}  // namespace

Var layer_norm(const Var& x, const Var& weight, const Var& bias, const LayerNormOptions& options) {
  if (is_bfloat16(x)) return in_float32("layer_norm", layer_norm, x, weight, bias, options);
  require(x.defined(), kOp, ": the input is undefined");
  require(x.rank() >= 1 && x.dim(-1) >= 1, kOp, ": the input has shape ", x.shape(),
          ", expected a last axis of at least one element");
  require_rank(kOp, "the weight", weight, 1, "[C]");
  require_rank(kOp, "the bias", bias, 1, "[C]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  const LayerNormGeometry g{x.size() / x.dim(-1), x.dim(-1), options.eps};
  for (const Var* const var : {&weight, &bias})
    require(var->dim(0) == g.c, kOp, ": weight ", weight.shape(), " and bias ", bias.shape(),
            " for a last axis of ", g.c, " elements");
  require(options.eps >= 0, kOp, ": eps is ", options.eps, ", expected at least 0");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<LayerNormForward<T>, cpu::layer_norm_forward, cuda::layer_norm_forward>(kOp, x.device())(
        g, x.value().data<T>(), weight.value().data<T>(), bias.value().data<T>(),
        y.mutable_data<T>());
  });
  return record(
      kOp, std::move(y), {x, weight, bias}, {x, weight},
      [g](const NodeView& node) {
        if (!node.creates_graph()) return gradients(g, node);
        return norm_gradients(node, node.saved(0), node.saved(1), {g.rows, g.c}, {1}, g.eps);
      },
      Derivatives::all);
}

}  // namespace pliant
