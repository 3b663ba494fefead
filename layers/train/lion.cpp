#include <pliant/layers/train/lion.h>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {

Lion::Lion(const std::vector<ParameterGroup>& groups, const LionOptions& options)
    : Optimizer("Lion", {"mean"}, groups, options.lr, options.weight_decay, options.may_lack),
      options_(options) {
  require_betas(options.beta1, options.beta2);
}

Optimizer::Move Lion::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("Lion", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<LionStep<T>>(slot, [&](double lr, std::int64_t) {
      return LionStep<T>{.lr = static_cast<T>(lr),
                         .beta1 = static_cast<T>(options_.beta1),
                         .one_minus_beta1 = static_cast<T>(1 - options_.beta1),
                         .beta2 = static_cast<T>(options_.beta2),
                         .one_minus_beta2 = static_cast<T>(1 - options_.beta2),
                         .keep = static_cast<T>(1 - lr * slot.weight_decay)};
    });
    return [&slot, &gradient, step,
            run = kernel<LionKernel<T>, cpu::lion_step, cuda::lion_step>("Lion", value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>());
    };
  });
}

}  // namespace pliant
