#include <pliant/autograd/ops/matmul.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/compare.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/binary.h>
#include <pliant/core/kernels/matmul.h>

namespace pliant {
namespace {

Tensor compute(const char* op, const MatmulGeometry& g, const Tensor& a, const Tensor& b,
               const Tensor& bias, const Shape& shape) {
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  Workspace workspace(a.device());
  visit_any_floating(op, a.dtype(), [&]<class T>() {
    kernel<Matmul<T>, cpu::matmul, cuda::matmul>(op, a.device())(
        g, a.data<T>(), b.data<T>(), data_or_null<T>(bias), y.mutable_data<T>(), workspace);
  });
  return y;
}

Transpose other(Transpose t) { return t == Transpose::no ? Transpose::yes : Transpose::no; }

Var product(const char* op, const MatmulGeometry& g, const Var& a, const Var& b, const Var& bias,
            const Shape& shape);

// The gradient by one operand: a product itself, summed over the batch if the operand is shared.
Var operand_gradient(const char* op, const MatmulGeometry& g, const Var& left, const Var& right,
                     Sharing operand, const Shape& shape) {
  if (operand == Sharing::per_batch) return product(op, g, left, right, {}, shape);
  const Var all = product(op, g, left, right, {}, {g.batch, g.m, g.n});
  return reshape(sum_to(all, {1, g.m, g.n}), shape);
}

// dY op(b)^T, or op(b) dY^T where a is transposed.
Var left_gradient(const char* op, const MatmulGeometry& g, const Var& dy, const Var& b,
                  const Shape& shape) {
  const MatmulGeometry of_a = g.transpose_a == Transpose::no
                                  ? MatmulGeometry{.batch = g.batch,
                                                   .m = g.m,
                                                   .n = g.k,
                                                   .k = g.n,
                                                   .transpose_b = other(g.transpose_b),
                                                   .b = g.b}
                                  : MatmulGeometry{.batch = g.batch,
                                                   .m = g.k,
                                                   .n = g.m,
                                                   .k = g.n,
                                                   .transpose_a = g.transpose_b,
                                                   .transpose_b = Transpose::yes,
                                                   .a = g.b};
  const bool flipped = g.transpose_a == Transpose::yes;
  return operand_gradient(op, of_a, flipped ? b : dy, flipped ? dy : b, g.a, shape);
}

// op(a)^T dY, or dY^T op(a) where b is transposed.
Var right_gradient(const char* op, const MatmulGeometry& g, const Var& a, const Var& dy,
                   const Shape& shape) {
  const MatmulGeometry of_b = g.transpose_b == Transpose::no
                                  ? MatmulGeometry{.batch = g.batch,
                                                   .m = g.k,
                                                   .n = g.n,
                                                   .k = g.m,
                                                   .transpose_a = other(g.transpose_a),
                                                   .a = g.a}
                                  : MatmulGeometry{.batch = g.batch,
                                                   .m = g.n,
                                                   .n = g.k,
                                                   .k = g.m,
                                                   .transpose_a = Transpose::yes,
                                                   .transpose_b = g.transpose_a,
                                                   .b = g.a};
  const bool flipped = g.transpose_b == Transpose::yes;
  return operand_gradient(op, of_b, flipped ? dy : a, flipped ? a : dy, g.b, shape);
}

// activation(op(a) op(b) + bias) as an op, reshaped to `shape`: both gradients are products again,
// so there are gradients of any order. A batch of one shares nothing.
Var product(const char* op, const MatmulGeometry& g, const Var& a, const Var& b, const Var& bias,
            const Shape& shape) {
  Tensor y = compute(op, g, a.value(), b.value(), bias.value(), shape);
  const bool is_rectified = g.activation == Activation::relu;
  return record(
      op, y, {a, b, bias},
      {keep_if(b.wants_gradient(), a), keep_if(a.wants_gradient(), b), keep_if(is_rectified, y)},
      [=, a = a.shape(), b = b.shape()](const StepView& step) -> Vars {
        const Var dy =
            is_rectified ? mul(step.cotangent(), ne(step.saved(2).value(), 0.0)) : step.cotangent();
        Var da, db, dbias;
        if (step.wants(0)) da = left_gradient(op, g, dy, step.saved(1), a);
        if (step.wants(1)) db = right_gradient(op, g, step.saved(0), dy, b);
        if (step.wants(2)) dbias = sum_to(dy, {g.n});
        return {da, db, dbias};
      },
      Derivatives::all);
}

// The axes before the last two.
Shape batch_of(const Shape& shape) {
  Shape batch;
  for (int axis = 0; axis < shape.rank() - 2; ++axis) batch.push_back(shape[axis]);
  return batch;
}

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

}  // namespace

Var matmul(const Var& a, const Var& b) {
  constexpr const char* kOp = "matmul";
  const ErrorOp here(kOp);
  require(a.defined() && b.defined(), "matmul: operand ", a.defined() ? "b" : "a", " is undefined");
  require_same_kind(kOp, {{"a", &a}, {"b", &b}});
  const bool row = a.rank() == 1, column = b.rank() == 1;  // vectors
  require(a.rank() >= 1 && b.rank() >= 1 && a.dim(-1) == b.dim(column ? 0 : -2),
          "matmul: ", a.shape(), " times ", b.shape(), ", expected [... M K] [... K N]");
  const std::int64_t m = row ? 1 : a.dim(-2), k = a.dim(-1), n = column ? 1 : b.dim(-1);
  const Shape batch_a = batch_of(a.shape()), batch_b = batch_of(b.shape());
  const Shape batch = broadcast_shape("matmul: the leading axes", batch_a, batch_b);
  Shape shape = batch;
  if (!row) shape.push_back(m);
  if (!column) shape.push_back(n);
  const std::int64_t count = batch.size();
  if (batch_b.size() == 1)  // the matrices of a one below the other
    return product(kOp, {.m = count * m, .n = n, .k = k}, a, b, {}, shape);
  if (batch_a.size() == 1)
    return product(kOp, {.batch = count, .m = m, .n = n, .k = k, .a = Sharing::shared}, a, b, {},
                   shape);
  const Var left = batch_a.size() == count ? a : broadcast_to(a, with_matrix(batch, m, k));
  const Var right = batch_b.size() == count ? b : broadcast_to(b, with_matrix(batch, k, n));
  return product(kOp, {.batch = count, .m = m, .n = n, .k = k}, left, right, {}, shape);
}

Var linear(const Var& x, const Var& weight, const Var& bias, Activation activation) {
  const ErrorOp here("linear");
  if (is_mixed(x, weight)) return linear(x, rounded(weight), rounded(bias), activation);
  require(x.defined(), "linear: the input is undefined");
  require(x.rank() >= 1, "linear: the input is a scalar, expected [... in]");
  require_rank("linear", "the weight", weight, 2, "[out in]");
  require_same_kind("linear", {{"x", &x}, {"weight", &weight}, {"bias", &bias}});
  require(x.dim(-1) == weight.dim(1), "linear: input has ", x.dim(-1), " features but the weight ",
          "expects ", weight.dim(1), " (input ", x.shape(), ", weight ", weight.shape(), ")");
  require_shape_if("linear", "bias", bias, {weight.dim(0)});
  const std::int64_t in = weight.dim(1), out = weight.dim(0);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = 1;
  const std::int64_t rows = shape.size();
  shape[shape.rank() - 1] = out;
  return product(
      "linear",
      {.m = rows, .n = out, .k = in, .transpose_b = Transpose::yes, .activation = activation}, x,
      weight, bias, shape);
}

}  // namespace pliant
