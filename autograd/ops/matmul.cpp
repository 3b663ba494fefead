#include <pliant/autograd/ops/matmul.h>

#include <algorithm>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/matmul.h>

namespace pliant {
namespace {

Tensor compute(const char* op, const MatmulGeometry& g, const Tensor& a, const Tensor& b,
               const Tensor& bias, const Shape& shape) {
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  Workspace workspace(a.device());
  visit_floating(op, a.dtype(), [&]<class T>() {
    kernel<Matmul<T>, cpu::matmul, cuda::matmul>(op, a.device())(
        g, a.data<T>(), b.data<T>(), data_or_null<T>(bias), y.mutable_data<T>(), workspace);
  });
  return y;
}

}  // namespace

Var matmul(const Var& a, const Var& b) {
  require(a.defined() && b.defined(), "matmul: an operand is undefined");
  require_same_kind("matmul", {&a, &b});
  const bool batched = a.rank() == 3;
  require((a.rank() == 2 || batched) && b.rank() == a.rank() && a.dim(-1) == b.dim(-2) &&
              (!batched || a.dim(0) == b.dim(0)),
          "matmul: ", a.shape(), " times ", b.shape(), ", expected [M K] [K N] or [B M K] [B K N]");
  const std::int64_t batch = batched ? a.dim(0) : 1, m = a.dim(-2), k = a.dim(-1), n = b.dim(-1);
  const Shape shape = batched ? Shape{batch, m, n} : Shape{m, n};
  Tensor y =
      compute("matmul", {.batch = batch, .m = m, .n = n, .k = k}, a.value(), b.value(), {}, shape);
  return record(
      "matmul", std::move(y), {a, b},
      {keep_if(b.wants_gradient(), a), keep_if(a.wants_gradient(), b)},
      [=, a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        const Tensor& dy = step.cotangent().value();
        Var da, db;
        if (step.wants(0))  // dY B^T
          da = compute("matmul",
                       {.batch = batch, .m = m, .n = k, .k = n, .transpose_b = Transpose::yes}, dy,
                       step.saved(1).value(), {}, a);
        if (step.wants(1))  // A^T dY
          db = compute("matmul",
                       {.batch = batch, .m = k, .n = n, .k = m, .transpose_a = Transpose::yes},
                       step.saved(0).value(), dy, {}, b);
        return {da, db};
      });
}

Var linear(const Var& x, const Var& weight, const Var& bias) {
  require(x.defined() && x.rank() >= 1, "linear: the input needs at least one axis");
  require_rank("linear", "the weight", weight, 2, "[out in]");
  require_same_kind("linear", {&x, &weight, &bias});
  require(x.dim(-1) == weight.dim(1), "linear: input has ", x.dim(-1), " features but the weight ",
          "expects ", weight.dim(1), " (input ", x.shape(), ", weight ", weight.shape(), ")");
  require(!bias.defined() || bias.shape() == Shape{weight.dim(0)}, "linear: bias has shape ",
          bias.shape(), ", expected [", weight.dim(0), "]");
  const std::int64_t in = weight.dim(1), out = weight.dim(0);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = out;
  const std::int64_t rows = shape.size() / std::max<std::int64_t>(1, out);
  Tensor y = compute("linear", {.m = rows, .n = out, .k = in, .transpose_b = Transpose::yes},
                     x.value(), weight.value(), bias.value(), shape);
  return record(
      "linear", std::move(y), {x, weight, bias},
      {keep_if(weight.wants_gradient(), x), keep_if(x.wants_gradient(), weight)},
      [=, x = x.shape(), weight = weight.shape()](const StepView& step) -> Vars {
        const Tensor& dy = step.cotangent().value();
        Var dx, dweight, dbias;
        if (step.wants(0))  // dY W
          dx = compute("linear", {.m = rows, .n = in, .k = out}, dy, step.saved(1).value(), {}, x);
        if (step.wants(1))  // dY^T X
          dweight = compute("linear", {.m = out, .n = in, .k = rows, .transpose_a = Transpose::yes},
                            dy, step.saved(0).value(), {}, weight);
        if (step.wants(2)) dbias = sum_to(step.cotangent(), {out});
        return {dx, dweight, dbias};
      });
}

}  // namespace pliant
