#include <pliant/autograd/ops/dropout.h>

#include <pliant/autograd/ops/checks.h>
#include <pliant/core/dispatch.h>
#include <pliant/core/kernels/dropout.h>

namespace pliant {

Var dropout(const Var& x, double rate, const Rng& key) {
  constexpr const char* kOp = "dropout";
  require(x.defined(), kOp, ": x is undefined");
  require(rate >= 0 && rate <= 1, kOp, ": the rate is ", rate, ", expected 0 to 1");
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<Dropped<T>, cpu::dropout, cuda::dropout>(kOp, x.device())(
        {x.size(), key, rate}, x.value().data<T>(), y.mutable_data<T>());
  });
  return record(
      kOp, std::move(y), {x}, {},
      [rate, key](const StepView& step) -> Vars { return {dropout(step.cotangent(), rate, key)}; },
      Derivatives::all);
}

}  // namespace pliant
