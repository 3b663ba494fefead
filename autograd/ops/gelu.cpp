#include <pliant/autograd/ops/gelu.h>

#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/gelu.h>

namespace pliant {

Var gelu(const Var& x) {
  constexpr const char* kOp = "gelu";
  require(x.defined(), kOp, ": x is undefined");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<GeluForward<T>, cpu::gelu_forward, cuda::gelu_forward>(kOp, x.device())(
        x.size(), x.value().data<T>(), y.mutable_data<T>());
  });
  return record(kOp, std::move(y), {x}, {x}, [](const StepView& step) -> Vars {
    const Tensor from = step.saved(0).value(), &dy = step.cotangent().value();
    Tensor dx = Tensor::empty(from.shape(), from.dtype(), from.device());
    visit_floating(kOp, from.dtype(), [&]<class T>() {
      kernel<GeluGradient<T>, cpu::gelu_gradient, cuda::gelu_gradient>(kOp, from.device())(
          from.size(), from.data<T>(), dy.data<T>(), dx.mutable_data<T>());
    });
    return {dx};
  });
}

}  // namespace pliant
