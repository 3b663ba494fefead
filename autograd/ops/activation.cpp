#include <pliant/autograd/ops/activation.h>

#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/unary.h>

namespace pliant {
namespace {

template <UnaryOp op>
Tensor gradient(const char* name, const Tensor& y, const Tensor& dy) {
  Tensor dx = Tensor::empty(y.shape(), y.dtype(), y.device());
  visit_floating(name, y.dtype(), [&]<class T>() {
    kernel<UnaryGradient<T>, cpu::unary_gradient, cuda::unary_gradient>(name, y.device())(
        op, y.size(), y.data<T>(), dy.data<T>(), dx.mutable_data<T>());
  });
  return dx;
}

template <UnaryOp op>
Var apply_op(const char* name, const Var& x) {
  require(x.defined(), name, ": x is undefined");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(name, x.dtype(), [&]<class T>() {
    kernel<UnaryForward<T>, cpu::unary_forward, cuda::unary_forward>(name, x.device())(
        op, x.size(), x.value().data<T>(), y.mutable_data<T>());
  });
  return record(name, y, {x}, {y}, [name](const StepView& step) -> Vars {
    return {gradient<op>(name, step.saved(0).value(), step.cotangent().value())};
  });
}

}  // namespace

Var relu(const Var& x) { return apply_op<UnaryOp::relu>("relu", x); }
Var sigmoid(const Var& x) { return apply_op<UnaryOp::sigmoid>("sigmoid", x); }

}  // namespace pliant
