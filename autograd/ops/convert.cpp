#include <pliant/autograd/ops/convert.h>

namespace pliant {

Var convert(const Var& x, DType dtype) {
  const ErrorOp here("convert");
  require(x.defined(), "convert: x is undefined");
  require(is_floating(x.dtype()) && is_floating(dtype), "convert: needs floating dtypes, got ",
          x.dtype(), " to ", dtype);
  if (x.dtype() == dtype) return x;
  return record(
      "convert", x.value().to(dtype), {x}, {},
      [from = x.dtype()](const StepView& step) -> Vars {
        return {convert(step.cotangent(), from)};
      },
      Derivatives::all);
}

Var widened(const Var& x) { return is_bfloat16(x) ? convert(x, DType::float32) : x; }
Tensor widened(const Tensor& x) { return x.defined() ? x.to(wide_of(x.dtype())) : x; }

}  // namespace pliant
