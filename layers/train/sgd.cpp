#include <pliant/layers/train/sgd.h>

#include <cmath>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {

Sgd::Sgd(const std::vector<ParameterGroup>& groups, const SgdOptions& options)
    : Optimizer(
          "Sgd",
          options.momentum == 0 ? std::vector<const char*>{} : std::vector<const char*>{"momentum"},
          groups, options.lr, options.weight_decay, options.may_lack),
      options_(options) {
  require_number("momentum", options.momentum);
  require(std::isfinite(options.dampening), "Sgd: dampening ", options.dampening,
          " is not a number");
  require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
          "Sgd: nesterov needs a momentum above 0 and no dampening, got ", options.momentum,
          " and ", options.dampening);
}

Optimizer::Move Sgd::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("Sgd", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<SgdStep<T>>(slot, [&](double lr, std::int64_t t) {
      return SgdStep<T>{.lr = static_cast<T>(lr),
                        .momentum = static_cast<T>(options_.momentum),
                        .dampening = static_cast<T>(options_.dampening),
                        .weight_decay = static_cast<T>(slot.weight_decay),
                        .nesterov = options_.nesterov,
                        .first = t == 1};
    });
    return [&slot, &gradient, step,
            run = kernel<SgdKernel<T>, cpu::sgd_step, cuda::sgd_step>("Sgd", value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory.empty() ? nullptr : slot.memory[0].mutable_data<T>());
    };
  });
}

}  // namespace pliant
