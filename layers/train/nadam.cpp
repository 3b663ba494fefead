#include <pliant/layers/train/nadam.h>

#include <cmath>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/optimizer.h>
#include <pliant/layers/train/internal/of_step.h>

namespace pliant {

NAdam::NAdam(const std::vector<ParameterGroup>& groups, const NAdamOptions& options)
    : Optimizer("NAdam", {"first_moment", "second_moment"}, groups, options.lr,
                options.weight_decay, options.may_lack),
      options_(options) {
  require_betas(options.beta1, options.beta2);
  require_number("eps", options.eps);
  require_number("momentum_decay", options.momentum_decay);
}

double NAdam::momentum(std::int64_t t) const {
  const double decayed = std::pow(0.96, static_cast<double>(t) * options_.momentum_decay);
  return options_.beta1 * (1 - decayed / 2);
}

// One that is lost beside 1 stays: of a billion steps there are no billion products.
double NAdam::momenta(std::int64_t t) {
  constexpr double kLost = 0x1p-54;
  const auto at = static_cast<std::size_t>(t);
  while (momenta_.size() <= at && momenta_.back() > kLost)
    momenta_.push_back(momenta_.back() * momentum(static_cast<std::int64_t>(momenta_.size())));
  return at < momenta_.size() ? momenta_[at] : momenta_.back();
}

Optimizer::Move NAdam::update(Slot& slot, const Tensor& gradient) {
  const Tensor& value = slot.parameter.value();
  const double beta1 = options_.beta1, beta2 = options_.beta2;
  const bool decoupled = options_.decoupled_weight_decay;
  return visit_floating("NAdam", value.dtype(), [&]<class T>() -> Move {
    const auto step = of_step<NAdamStep<T>>(slot, [&](double lr, std::int64_t t) {
      const double root2 = std::sqrt(1 - std::pow(beta2, static_cast<double>(t)));
      const double rate = lr * root2, next = momentum(t + 1);
      return NAdamStep<T>{
          .by_gradient = static_cast<T>(rate * (1 - momentum(t)) / (1 - momenta(t))),
          .by_first = static_cast<T>(rate * next / (1 - momenta(t) * next)),
          .floor = static_cast<T>(options_.eps * root2),
          .beta1 = static_cast<T>(beta1),
          .one_minus_beta1 = static_cast<T>(1 - beta1),
          .beta2 = static_cast<T>(beta2),
          .one_minus_beta2 = static_cast<T>(1 - beta2),
          .weight_decay = decoupled ? T(0) : static_cast<T>(slot.weight_decay),
          .keep = decoupled ? static_cast<T>(1 - lr * slot.weight_decay) : T(1)};
    });
    return
        [&slot, &gradient, step,
         run = kernel<NAdamKernel<T>, cpu::nadam_step, cuda::nadam_step>("NAdam", value.device())] {
          Tensor moved = slot.parameter.value();  // the same storage
          run(step, moved.size(), gradient.data<T>(), moved.mutable_data<T>(),
              slot.memory[0].mutable_data<T>(), slot.memory[1].mutable_data<T>());
        };
  });
}

}  // namespace pliant
