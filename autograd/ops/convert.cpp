#include <pliant/autograd/ops/convert.h>

namespace pliant {

Var convert(const Var& x, DType dtype) {
  const ErrorOp here("convert");
  require(x.defined(), "convert: x is undefined");
  if (x.dtype() == dtype) return x;
  if (!is_floating(x.dtype()) || !is_floating(dtype))
    return record("convert", x.value().to(dtype), {detach(x)}, {}, nullptr);
  return record(
      "convert", x.value().to(dtype), {x}, {},
      [from = x.dtype()](const NodeView& node) -> Vars {
        return {convert(node.cotangent(), from)};
      },
      Derivatives::all);
}

Var widened(const Var& x) { return is_bfloat16(x) ? convert(x, DType::float32) : x; }
Tensor widened(const Tensor& x) { return x.defined() ? x.to(wide_of(x.dtype())) : x; }

}  // namespace pliant
