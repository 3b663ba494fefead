#include <pliant/autograd/ops/group_norm.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/autograd/ops/norm_gradients.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/group_norm.h>

namespace pliant {
namespace {

constexpr const char* kOp = "group_norm";

GroupNormGeometry checked_geometry(const Var& x, std::int64_t groups, const Var& weight,
                                   const Var& bias, double eps) {
  require(x.defined(), kOp, ": the input is undefined");
  require(x.rank() >= 2, kOp, ": the input has shape ", x.shape(), ", expected [N ... C]");
  const std::int64_t c = x.dim(-1);
  require(groups >= 1 && c >= 1 && c % groups == 0, kOp, ": the ", c, " channels of ", x.shape(),
          " do not divide into ", groups, " groups");
  require_rank(kOp, "the weight", weight, 1, "[C]");
  require_rank(kOp, "the bias", bias, 1, "[C]");
  require_same_kind(kOp, {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  require(weight.dim(0) == c && bias.dim(0) == c, kOp, ": weight ", weight.shape(), " and bias ",
          bias.shape(), " for ", c, " channels");
  require(eps >= 0, kOp, ": eps is ", eps, ", expected at least 0");
  const std::int64_t n = x.dim(0);
  return {n, n == 0 ? 0 : x.size() / n / c, c, groups, eps};
}

Vars gradients(const GroupNormGeometry& g, const StepView& step) {
  const Tensor x = step.saved(0).value(), weight = step.saved(1).value(),
               mean = step.saved(2).value(), rstd = step.saved(3).value();
  const auto wanted = [&](std::size_t input, const Shape& shape) {
    return step.wants(input) ? Tensor::empty(shape, x.dtype(), x.device()) : Tensor();
  };
  Tensor dx = wanted(0, x.shape()), dweight = wanted(1, {g.c}), dbias = wanted(2, {g.c});
  Workspace workspace(x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    const auto to = [](Tensor& t) { return t.defined() ? t.mutable_data<T>() : nullptr; };
    kernel<GroupNormGradient<T>, cpu::group_norm_gradient, cuda::group_norm_gradient>(
        kOp, x.device())(g,
                         {.x = x.data<T>(),
                          .weight = weight.data<T>(),
                          .mean = mean.data<double>(),
                          .rstd = rstd.data<double>(),
                          .dy = step.cotangent().value().data<T>(),
                          .dx = to(dx),
                          .dweight = to(dweight),
                          .dbias = to(dbias)},
                         workspace);
  });
  return {dx, dweight, dbias};
}

}  // namespace

Var group_norm(const Var& x, std::int64_t groups, const Var& weight, const Var& bias, double eps) {
  const ErrorOp here("group_norm");
  if (is_bfloat16(x)) return in_float32("group_norm", group_norm, x, groups, weight, bias, eps);
  const GroupNormGeometry g = checked_geometry(x, groups, weight, bias, eps);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor mean = Tensor::empty({g.n, groups}, DType::float64, x.device());
  Tensor rstd = Tensor::empty({g.n, groups}, DType::float64, x.device());
  Workspace workspace(x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<GroupNormForward<T>, cpu::group_norm_forward, cuda::group_norm_forward>(kOp, x.device())(
        g,
        {.x = x.value().data<T>(),
         .weight = weight.value().data<T>(),
         .bias = bias.value().data<T>(),
         .y = y.mutable_data<T>(),
         .mean = mean.mutable_data<double>(),
         .rstd = rstd.mutable_data<double>()},
        workspace);
  });
  return record(
      kOp, std::move(y), {x, weight, bias}, {x, weight, mean, rstd},
      [g](const StepView& step) {
        if (!step.creates_graph()) return gradients(g, step);
        const Shape view{g.n, g.rows, g.groups, g.c / g.groups};
        return norm_gradients(step, step.saved(0), step.saved(1), view, {1, 3}, g.eps);
      },
      Derivatives::all);
}

}  // namespace pliant
