#include <pliant/layers/train/adagrad.h>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {

Adagrad::Adagrad(const std::vector<ParameterGroup>& groups, const AdagradOptions& options)
    : Optimizer("Adagrad", {"sum"}, groups, options.lr, options.weight_decay, options.may_lack),
      options_(options) {
  require_number("lr_decay", options.lr_decay);
  require_number("initial_accumulator", options.initial_accumulator);
  require_number("eps", options.eps);
}

Optimizer::Move Adagrad::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("Adagrad", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<AdagradStep<T>>(slot, [&](double lr, std::int64_t t) {
      const auto before = static_cast<double>(t - 1);
      return AdagradStep<T>{.lr = static_cast<T>(lr / (1 + before * options_.lr_decay)),
                            .eps = static_cast<T>(options_.eps),
                            .weight_decay = static_cast<T>(slot.weight_decay),
                            .start = static_cast<T>(options_.initial_accumulator),
                            .first = t == 1};
    });
    return [&slot, &gradient, step,
            run = kernel<AdagradKernel<T>, cpu::adagrad_step, cuda::adagrad_step>("Adagrad",
                                                                                  value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>());
    };
  });
}

}  // namespace pliant
