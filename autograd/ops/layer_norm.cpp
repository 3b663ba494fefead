#include <pliant/autograd/ops/layer_norm.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/norm_gradients.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/layer_norm.h>

namespace pliant {
namespace {

constexpr const char* kOp = "layer_norm";

Vars gradients(const LayerNormGeometry& g, const StepView& step) {
  const Tensor x = step.saved(0).value(), weight = step.saved(1).value();
  Tensor dx, dweight;
  if (step.wants(0)) dx = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (step.wants(1)) dweight = Tensor::empty(weight.shape(), x.dtype(), x.device());
  if (dx.defined() || dweight.defined()) {
    Workspace workspace(x.device());
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
      kernel<LayerNormGradient<T>, cpu::layer_norm_gradient, cuda::layer_norm_gradient>(
          kOp, x.device())(g, x.data<T>(), weight.data<T>(), step.cotangent().value().data<T>(),
                           to(dx), to(dweight), workspace);
    });
  }
  return {dx, dweight, step.wants(2) ? sum_to(step.cotangent(), {g.c}) : Var()};
}

}  // namespace

Var layer_norm(const Var& x, const Var& weight, const Var& bias, double eps) {
  const ErrorOp here("layer_norm");
  if (is_bfloat16(x)) return in_float32("layer_norm", layer_norm, x, weight, bias, eps);
  require(x.defined(), kOp, ": the input is undefined");
  require(x.rank() >= 1 && x.dim(-1) >= 1, kOp, ": the input has shape ", x.shape(),
          ", expected a last axis of at least one element");
  require_rank(kOp, "the weight", weight, 1, "[C]");
  require_rank(kOp, "the bias", bias, 1, "[C]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  const LayerNormGeometry g{x.size() / x.dim(-1), x.dim(-1), eps};
  for (const Var* const var : {&weight, &bias})
    require(var->dim(0) == g.c, kOp, ": weight ", weight.shape(), " and bias ", bias.shape(),
            " for a last axis of ", g.c, " elements");
  require(eps >= 0, kOp, ": eps is ", eps, ", expected at least 0");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<LayerNormForward<T>, cpu::layer_norm_forward, cuda::layer_norm_forward>(kOp, x.device())(
        g, x.value().data<T>(), weight.value().data<T>(), bias.value().data<T>(),
        y.mutable_data<T>());
  });
  return record(
      kOp, std::move(y), {x, weight, bias}, {x, weight},
      [g](const StepView& step) {
        if (!step.creates_graph()) return gradients(g, step);
        return norm_gradients(step, step.saved(0), step.saved(1), {g.rows, g.c}, {1}, g.eps);
      },
      Derivatives::all);
}

}  // namespace pliant
