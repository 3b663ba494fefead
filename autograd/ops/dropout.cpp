#include <pliant/autograd/ops/dropout.h>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/first_element.h>
#include <pliant/autograd/ops/convert.h>
#include <pliant/core/capture.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/dropout.h>

namespace pliant {
namespace {

constexpr const char* kOp = "dropout";

// x being the elements from number `first` on.
Var drop(const Var& x, double rate, const Rng& key, const StepState& state, std::int64_t first) {
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  const std::int64_t* const number =
      state.defined() ? state.counter().data<std::int64_t>() : nullptr;
  visit_floating(kOp, x.dtype(), [&]<class T>() {
    kernel<Dropped<T>, cpu::dropout, cuda::dropout>(kOp, x.device())(
        {x.size(), key, rate, number, first}, x.value().data<T>(), y.mutable_data<T>());
  });
  return record(
      kOp, std::move(y), {x}, {},
      [=](const NodeView& node) -> Vars {
        return {drop(node.cotangent(), rate, key, state, first)};
      },
      Derivatives::all);
}

}  // namespace

Var dropout(const Var& x, double rate, const Rng& key, const StepState& state) {
  const ErrorOp here(kOp);
  if (is_bfloat16(x)) return convert(dropout(widened(x), rate, key, state), x.dtype());
  require(x.defined(), kOp, ": x is undefined");
  require(rate >= 0 && rate <= 1, kOp, ": the rate is ", rate, ", expected 0 to 1");
  if (!state.defined())
    require_not_recording(kOp);
  else
    require(state.device() == x.device(), kOp, ": x is on ", x.device(), ", the StepState on ",
            state.device());
  return drop(x, rate, key, state, first_element(x));
}

}  // namespace pliant
