#include <pliant/layers/train/rmsprop.h>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {
namespace {

std::vector<const char*> rmsprop_memory(const RmsPropOptions& options) {
  std::vector<const char*> names{"mean_square"};
  if (options.centered) names.push_back("mean");
  if (options.momentum != 0) names.push_back("momentum");
  return names;
}

}  // namespace

RmsProp::RmsProp(const std::vector<ParameterGroup>& groups, const RmsPropOptions& options)
    : Optimizer("RmsProp", rmsprop_memory(options), groups, options.lr, options.weight_decay,
                options.may_lack),
      options_(options) {
  require(options.alpha >= 0 && options.alpha < 1, "RmsProp: alpha ", options.alpha,
          " must lie in [0, 1)");
  require_number("eps", options.eps);
  require_number("momentum", options.momentum);
}

Optimizer::Move RmsProp::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  return visit_floating("RmsProp", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<RmsPropStep<T>>(slot, [&](double lr, std::int64_t) {
      return RmsPropStep<T>{.lr = static_cast<T>(lr),
                            .alpha = static_cast<T>(options_.alpha),
                            .one_minus_alpha = static_cast<T>(1 - options_.alpha),
                            .eps = static_cast<T>(options_.eps),
                            .weight_decay = static_cast<T>(slot.weight_decay),
                            .momentum = static_cast<T>(options_.momentum)};
    });
    return [this, &slot, &gradient, step,
            run = kernel<RmsPropKernel<T>, cpu::rmsprop_step, cuda::rmsprop_step>("RmsProp",
                                                                                  value.device())] {
      Tensor moved = slot.parameter.value();  // the same storage
      run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
          slot.memory[0].mutable_data<T>(),
          options_.centered ? slot.memory[1].mutable_data<T>() : nullptr,
          options_.momentum != 0 ? slot.memory.back().mutable_data<T>() : nullptr);
    };
  });
}

}  // namespace pliant
