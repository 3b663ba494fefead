// How the ops that are one function of the UnaryTable are made; for the .cpp files of such ops.
#pragma once

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/checks.h>
#include <pliant/autograd/tape.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/unary.h>

namespace pliant {

// The slope of a function in public ops, from the x or y that its kSlopeOf names: what second
// derivatives are made of. nullptr: there are none.
using SlopeOnTape = Var(const Var& s, const UnaryCall& call);

// y = F(x), recorded as `name`; the numbers are the function's own.
template <template <class> class F, SlopeOnTape* slope = nullptr>
Var apply_unary(const char* name, const Var& x, double first = 0, double second = 0) {
  const ErrorOp here(name);
  require(x.defined(), name, ": x is undefined");
  const UnaryCall call = unary_call<F>(first, second);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_any_floating(name, x.dtype(), [&]<class T>() {
    kernel<UnaryForward<T>, cpu::unary_forward, cuda::unary_forward>(name, x.device())(
        call, x.size(), x.value().data<T>(), y.mutable_data<T>());
  });
  const Var from = F<float>::kSlopeOf == SlopeOf::x ? x : Var(y);
  const auto gradient = [name, call](const StepView& step) -> Vars {
    if constexpr (slope != nullptr)
      if (step.creates_graph()) return {mul(step.cotangent(), slope(step.saved(0), call))};
    const Tensor s = step.saved(0).value(), &dy = step.cotangent().value();
    Tensor dx = Tensor::empty(s.shape(), s.dtype(), s.device());
    visit_any_floating(name, s.dtype(), [&]<class T>() {
      kernel<UnaryGradient<T>, cpu::unary_gradient, cuda::unary_gradient>(name, s.device())(
          call, s.size(), s.data<T>(), dy.data<T>(), dx.mutable_data<T>());
    });
    return {dx};
  };
  return record(name, std::move(y), {x}, {from}, gradient,
                slope != nullptr ? Derivatives::all : Derivatives::first);
}

}  // namespace pliant
