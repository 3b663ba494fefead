#include <pliant/autograd/ops/cumsum.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/cumsum.h>

namespace pliant {
namespace {

constexpr const char* kOp = "cumsum";

CumsumGeometry geometry(const Shape& shape, int axis, CumsumFrom from) {
  CumsumGeometry g{.length = shape[axis], .from_end = from == CumsumFrom::end};
  for (int i = 0; i < axis; ++i) g.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) g.inner *= shape[i];
  return g;
}

}  // namespace

Var cumsum(const Var& x, int axis, CumsumFrom from) {
  const ErrorOp here("cumsum");
  if (is_bfloat16(x)) return in_float32("cumsum", cumsum, x, axis, from);
  require(x.defined(), kOp, ": x is undefined");
  require_same_kind(kOp, x);
  axis = x.shape().axis(axis, kOp);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (y.size() > 0)
    visit_floating(kOp, x.dtype(), [&]<class T>() {
      kernel<Cumsum<T>, cpu::cumsum, cuda::cumsum>(kOp, x.device())(
          geometry(x.shape(), axis, from), x.value().data<T>(), y.mutable_data<T>());
    });
  // x[k] is in the sums from k on: the gradient is the running sum the other way round.
  const CumsumFrom other = from == CumsumFrom::start ? CumsumFrom::end : CumsumFrom::start;
  return record(
      kOp, std::move(y), {x}, {},
      [axis, other](const StepView& step) -> Vars {
        return {cumsum(step.cotangent(), axis, other)};
      },
      Derivatives::all);
}

}  // namespace pliant
