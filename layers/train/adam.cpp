#include <pliant/layers/train/adam.h>

#include <cmath>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {

Optimizer::MemoryOf Adam::memory_of(const AdamOptions& options) {
  return [amsgrad = options.amsgrad](const Parameter&) -> Names {
    if (amsgrad) return {"first_moment", "second_moment", "largest_second_moment"};
    return {"first_moment", "second_moment"};
  };
}

Adam::Adam(const char* name, Decay decay, const MemoryOf& memory,
           const std::vector<ParameterGroup>& groups, const AdamOptions& options)
    : Optimizer(name, memory, groups, options.lr, options.weight_decay, options.may_lack),
      name_(name),
      decay_(decay),
      options_(options) {
  require_betas(options.beta1, options.beta2);
  require_number("eps", options.eps);
}

Optimizer::Move Adam::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  const double beta1 = options_.beta1, beta2 = options_.beta2;
  const bool decoupled = decay_ == Decay::decoupled;
  return visit_floating(name_, value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<AdamStep<T>>(slot, [&](double lr, std::int64_t steps) {
      const auto t = static_cast<double>(steps);
      const double correction1 = 1 - std::pow(beta1, t), root2 = std::sqrt(1 - std::pow(beta2, t));
      return AdamStep<T>{.rate = static_cast<T>(lr * root2 / correction1),
                         .floor = static_cast<T>(options_.eps * root2),
                         .beta1 = static_cast<T>(beta1),
                         .one_minus_beta1 = static_cast<T>(1 - beta1),
                         .beta2 = static_cast<T>(beta2),
                         .one_minus_beta2 = static_cast<T>(1 - beta2),
                         .weight_decay = decoupled ? T(0) : static_cast<T>(slot.weight_decay),
                         .keep = decoupled ? static_cast<T>(1 - lr * slot.weight_decay) : T(1)};
    });
    return [&slot, &gradient, step,
            run = kernel<AdamKernel<T>, cpu::adam_step, cuda::adam_step>(name_, value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>(), slot.memory[1].mutable_data<T>(),
          slot.memory.size() > 2 ? slot.memory[2].mutable_data<T>() : nullptr);
    };
  });
}

}  // namespace pliant
